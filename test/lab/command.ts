import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

/** How a program ended, with all it printed. */
export interface Outcome {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  /** Given on standard input; else that is empty. */
  input?: string | Buffer;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** The program is killed after so long. */
  timeoutMs?: number;
}

/** Runs a program to its end, whichever that is. */
export async function attempt(command: readonly string[], options: CommandOptions = {}): Promise<Outcome> {
  const [program = '', ...programArguments] = command;
  const child = spawn(program, programArguments, {
    env: options.env ?? process.env,
    cwd: options.cwd,
    timeout: options.timeoutMs,
    killSignal: 'SIGKILL',
  });
  // A program that ends without reading its input is no error of ours: its exit says how it went.
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');

  const ended = new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve([code, signal]));
  });
  const [[code, signal], stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { code, signal, stdout, stderr };
}

/** Runs a program that has to succeed; gives what it printed. */
export async function run(command: readonly string[], options: CommandOptions = {}): Promise<string> {
  const outcome = await attempt(command, options);
  if (outcome.code !== 0) throw new Error(`${describe(command)} ended with ${howItEnded(outcome)}`);
  return outcome.stdout;
}

/** Where a program is found, also those that only root has on its path. */
export function whereIs(program: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, program)).find(isExecutable);
}

/** The command as root runs it: as it is, or through sudo without a question. */
export function asRoot(command: readonly string[]): string[] {
  return isRoot() ? [...command] : ['sudo', '-n', ...command];
}

export function isRoot(): boolean {
  return process.getuid?.() === 0;
}

/** Whether root's work can be done without anybody typing a password. */
export async function canBeRoot(): Promise<boolean> {
  if (isRoot()) return true;
  return whereIs('sudo') !== undefined && (await attempt(['sudo', '-n', 'true'])).code === 0;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function describe(command: readonly string[]): string {
  const line = command.join(' ');
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
}

function howItEnded({ code, signal, stdout, stderr }: Outcome): string {
  const said = (stderr.trim() || stdout.trim()).slice(-2000);
  return `${signal ?? `exit ${code}`}${said && `:\n${said}`}`;
}
