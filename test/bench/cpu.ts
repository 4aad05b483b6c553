import { readdir, readFile } from 'node:fs/promises';

/** Linux counts a process's time in hundredths of a second. */
const ticksPerSecond = 100;

/** A process of this machine. */
export interface RunningProcess {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  /** So far, in seconds. */
  readonly cpuSeconds: number;
}

/** What runs on this machine now; nothing where there is no /proc. */
export async function runningProcesses(): Promise<RunningProcess[]> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number);
  const all = await Promise.all(pids.map(async (pid) => processOf(pid, await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''))));
  return all.filter((process) => process !== null);
}

function processOf(pid: number, stat: string): RunningProcess | null {
  const [, name = '', rest = ''] = /^\d+ \((.*)\) (.*)$/s.exec(stat) ?? [];
  const fields = rest.split(' ');
  // utime, stime, and those of children that have ended: the postmaster keeps its backends' time there.
  const ticks = [11, 12, 13, 14].reduce((sum, field) => sum + Number(fields[field]), 0);
  return name === '' ? null : { pid, parent: Number(fields[1]), name, cpuSeconds: ticks / ticksPerSecond };
}

/** CPU seconds used so far by all PostgreSQL processes of this machine: says what work costs even while something else runs. */
export async function serverCpuSeconds(): Promise<number> {
  return cpuSecondsOf((await runningProcesses()).filter(({ name }) => name.startsWith('postgres')));
}

/** CPU seconds used so far by these together. */
export function cpuSecondsOf(processes: readonly RunningProcess[]): number {
  return processes.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
}

/** CPU seconds used so far by this process. */
export function clientCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
