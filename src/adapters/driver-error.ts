/** What PostgreSQL answers to a statement it refuses: five digits and capitals. */
const sqlState = /^(?=.*\d)[0-9A-Z]{5}$/;

/** How many errors inside one another are looked at. */
const deepest = 8;

/**
 * The driver's own error, with PostgreSQL's SQLSTATE as its `code`, that a library has wrapped in one of its own; if there is none,
 * the error as it is.
 */
export function driverError(error: unknown): unknown {
  let inner = error;
  for (let depth = 0; depth < deepest && typeof inner === 'object' && inner !== null; depth++) {
    if ('code' in inner && typeof inner.code === 'string' && sqlState.test(inner.code)) return inner;
    inner = 'cause' in inner ? inner.cause : undefined;
  }
  return error;
}
