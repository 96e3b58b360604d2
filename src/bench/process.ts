import { readFileSync } from 'node:fs';

/**
 * Milliseconds of CPU that a process and its ended children have used: fields 14 to 17 of /proc/PID/stat, in ticks of
 * 10 ms.
 */
export function cpuOf(pid: number | null | undefined): number {
  const stat = readFileSync(`/proc/${pid ?? 'self'}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0) * 10;
}

/** The most resident memory that a process has had so far, in MB. */
export function mostRssOf(pid: number | null | undefined): number {
  const status = readFileSync(`/proc/${pid ?? 'self'}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? Number.NaN) / 1024;
}
