/** An object of a list, or one that was just made. */
export interface ShortBody {
  /** Bytes that are not UTF-8 show as U+FFFD; the URL has the exact name. */
  readonly name: string;
  readonly url: string;
}
