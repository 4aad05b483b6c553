import type { DataDictionary } from '../../codec/index.js';
import { BadCborError } from '../../errors/index.js';
import type { Attempt } from './attempt.js';

/** The data of an attempt, none where they cannot be decoded: for those who only add to them, or look for something in them. */
export function readableData(attempt: Pick<Attempt, 'data'>): DataDictionary {
  try {
    return attempt.data;
  } catch (error) {
    if (error instanceof BadCborError) return {};
    throw error;
  }
}
