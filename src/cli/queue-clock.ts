import type { Coordinate } from '../core/coordinate.js';

/**
 * The time of the queue, asked for once: from then on it is told without asking, by how much time has passed here. Whatever the clock of this
 * machine says has no influence.
 */
export async function queueClock(coordinate: Coordinate): Promise<() => Date> {
  const asked = performance.now();
  const start = (await coordinate.now()).getTime();
  // It was read some time after it was asked for: taken so, delays come out a moment too long, never too short.
  return () => new Date(start + performance.now() - asked);
}
