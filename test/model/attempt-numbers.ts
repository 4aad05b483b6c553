import { inspect } from 'node:util';

/** Stands for an attempt's number in values to be compared: only the order of numbers is comparable, within a namespace. */
export class AttemptNumber {
  constructor(
    readonly namespace: string,
    readonly number: number,
  ) {}

  [inspect.custom](): string {
    return `#${this.number}`;
  }
}

interface Match {
  readonly real: number;
  readonly reference: number;
}

/** Which number of the real implementation is which of the reference. Learnt from results: the same place, the same attempt. */
export class AttemptNumbers {
  readonly #byNamespace = new Map<string, Match[]>();

  /** What is wrong with taking these two for the same attempt, or null, in which case they are from now on. */
  match(real: AttemptNumber, reference: AttemptNumber): string | null {
    if (real.namespace !== reference.namespace) return 'is of another namespace';
    const matches = this.#byNamespace.get(real.namespace) ?? [];
    this.#byNamespace.set(real.namespace, matches);
    const known = matches.find((match) => match.reference === reference.number || match.real === real.number);
    if (known !== undefined) {
      const isSame = known.reference === reference.number && known.real === real.number;
      return isSame ? null : `is another attempt (${known.real} is the reference's ${known.reference})`;
    }
    const misplaced = matches.find((match) => match.real > real.number !== match.reference > reference.number);
    if (misplaced !== undefined) {
      return `is out of order (${misplaced.real} is the reference's ${misplaced.reference})`;
    }
    matches.push({ real: real.number, reference: reference.number });
    return null;
  }
}
