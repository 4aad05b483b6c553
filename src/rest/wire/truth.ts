/** Whether a parameter such as `counts` says yes. */
export function isTrue(text: string | null): boolean {
  return text !== null && /^(?:1|t|y|true|yes|on)$/i.test(text);
}
