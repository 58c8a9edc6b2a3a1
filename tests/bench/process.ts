// What Linux tells of a process; null where the system does not tell.

import { readdirSync, readFileSync } from 'node:fs';

/** What all its threads have run for; exact, where /proc/<pid>/stat counts hundredths of a second. */
export function processorMs(pid: number): number | null {
  let threads: string[];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return null;
  }
  const nanoseconds = threads.map((thread) => Number(read(`/proc/${pid}/task/${thread}/schedstat`)?.split(' ')[0]));
  const sum = nanoseconds.reduce((total, one) => total + one, 0);
  return Number.isNaN(sum) ? null : sum / 1e6;
}

/** The memory that it has in RAM. */
export function residentMb(pid: number): number | null {
  const kb = /^VmRSS:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1];
  return kb === undefined ? null : Number(kb) / 1024;
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
