import { GoneError } from '../errors/index.js';

/** Resolves to whether it could be done; false when somebody has deleted the object meanwhile. */
export async function unlessGone(change: Promise<boolean | void>): Promise<boolean> {
  try {
    return (await change) !== false;
  } catch (error) {
    if (error instanceof GoneError) return false;
    throw error;
  }
}
