/**
 * A float that JavaScript would take for an integer, such as the 1.0 of Python or Go. A plain `1` is written as a CBOR integer and
 * a plain `1.5` as a float; `new CborFloat(1)` is written as the float 1.0, and that float is read as a `CborFloat` again, so that
 * a program that sent a float gets a float back. All other floats are plain numbers, `-0`, `NaN` and the infinities among them.
 *
 * It calculates like any number (`float + 1`, `float > 0`, `Number(float)`); compare with `===` only after `valueOf()`.
 */
export class CborFloat extends Number {}

/** Whether a float needs `CborFloat`, since the plain number would be written as an integer. */
export function looksLikeInteger(float: number): boolean {
  return Number.isSafeInteger(float) && !Object.is(float, -0);
}
