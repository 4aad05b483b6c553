import { readdir, readFile } from 'node:fs/promises';

/** Linux counts a process's time in hundredths of a second. */
const ticksPerSecond = 100;

/** CPU seconds used so far by all PostgreSQL processes of this machine: says what work costs even while something else runs. */
export async function serverCpuSeconds(): Promise<number> {
  let ticks = 0;
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    const [, name = '', rest = ''] = /^\d+ \((.*)\) (.*)$/s.exec(stat) ?? [];
    if (!name.startsWith('postgres')) continue;
    const fields = rest.split(' ');
    // utime, stime, and those of children that have ended: the postmaster keeps its backends' time there.
    ticks += [11, 12, 13, 14].reduce((sum, field) => sum + Number(fields[field]), 0);
  }
  return ticks / ticksPerSecond;
}

/** CPU seconds used so far by this process. */
export function clientCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
