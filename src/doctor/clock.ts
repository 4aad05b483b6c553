import { ageText } from './age-text.js';
import type { Check } from './check.js';

export const clock: Check = {
  name: 'clock',
  advice: 'Have this machine and the server keep their clocks by NTP. Leases go by the server’s clock alone; logs and `notBefore` of producers do not.',
  async check({ client, now, limits }) {
    const before = now().getTime();
    const { rows } = await client.query<{ at: number }>('select extract(epoch from clock_timestamp())::float8 * 1000 as at');
    const after = now().getTime();
    const server = rows[0]?.at ?? before;
    // The answer was made at some time between the two: only what is outside of them is certain.
    const skew = server < before ? before - server : server > after ? after - server : 0;
    if (Math.abs(skew) <= limits.clockSkewMs) return [];
    const direction = skew > 0 ? 'ahead of' : 'behind';
    return [{ severity: 'warning', text: `The clock of this machine is ${ageText(Math.abs(skew))} ${direction} the server's.` }];
  },
};
