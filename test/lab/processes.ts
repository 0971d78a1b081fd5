import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A process of this machine, as /proc shows it. */
export interface Process {
  pid: number;
  parent: number;
  /** Clock ticks since boot: with the pid, it names one process for ever. */
  startTime: string;
  state: string;
  command: readonly string[];
  /** Empty where it may not be read. */
  environment: readonly string[];
}

/** Every process that lives, zombies aside. */
export function processes(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => processOf(Number(name)))
    .filter((found) => found !== undefined && found.state !== 'Z' && found.state !== 'X')
    .map((found) => found as Process);
}

/** One process, or nothing where it is gone. */
function processOf(pid: number): Process | undefined {
  const stat = read(pid, 'stat');
  if (stat === undefined) return undefined;
  // The program's name, in parentheses, may hold spaces and parentheses itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    pid,
    state: fields[0] ?? '',
    parent: Number(fields[1]),
    startTime: fields[19] ?? '',
    command: words(read(pid, 'cmdline')),
    environment: words(read(pid, 'environ')),
  };
}

/** A process and all that it started, as far as they are still related. */
export function withDescendants(pid: number, all: readonly Process[] = processes()): Process[] {
  const children = all.filter(({ parent }) => parent === pid).flatMap((child) => withDescendants(child.pid, all));
  return [...all.filter((candidate) => candidate.pid === pid), ...children];
}

/** `<pid>-<start time>`: names a process also when its number has been given to another one. */
export function signature(pid: number): string {
  return `${pid}-${processOf(pid)?.startTime ?? 'gone'}`;
}

/** Whether the process of a signature lives. */
export function lives(signed: string): boolean {
  const pid = Number(signed.split('-')[0]);
  const found = processOf(pid);
  return found !== undefined && found.state !== 'Z' && signed.startsWith(`${pid}-${found.startTime}`);
}

/** The program that a process runs, or nothing where that may not be seen. */
export function programOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return undefined;
  }
}

function read(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}

function words(text: string | undefined): string[] {
  return (text ?? '').split('\0').filter((word) => word !== '');
}
