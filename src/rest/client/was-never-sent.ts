/** The connection was never made. */
const noConnection = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT']);

/**
 * Whether the server cannot have seen the request, for it failed before there was a connection: then it can be sent again, whatever it does. The same
 * codes are those of connections that are lost under way, so that what was being done counts, too.
 */
export function wasNeverSent(error: unknown): boolean {
  const { code, syscall } = firstOf(error);
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return true;
  return noConnection.has(code ?? '') && (syscall === 'connect' || syscall === 'getaddrinfo');
}

/** The code of an error of Node or undici; empty: it has none. */
export function codeOf(error: unknown): string {
  return firstOf(error).code ?? '';
}

/** Of a name with several addresses, what went wrong with the first. */
function firstOf(error: unknown): { readonly code?: string; readonly syscall?: string } {
  const cause: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const { code, syscall } = (cause ?? {}) as { readonly code?: unknown; readonly syscall?: unknown };
  return { ...(typeof code === 'string' && { code }), ...(typeof syscall === 'string' && { syscall }) };
}
