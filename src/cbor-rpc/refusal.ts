/**
 * Why a call is answered with an error, in the words that the client is told. These are part of the protocol and never leave the server as errors
 * of the package; those that other interfaces have as well are CoordinateErrors.
 */
export class Refusal extends Error {
  constructor(text: string) {
    super(text);
    this.name = 'Refusal';
  }
}

/** A client asks for more than an answer may hold. */
export function tooLarge(maxBytes: number): Refusal {
  return new Refusal(`the answer would be larger than the ${Math.max(0, maxBytes)} bytes it may have; ask for less at a time`);
}
