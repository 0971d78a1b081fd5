import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Failure } from '../failure.ts';
import { Records } from './records.ts';

/** Constant scripts for the host, of which the last defines `main`; `lock.sh` and `supervisor.sh` are sent in front of them. */
export interface Program {
  name: string;
  /** Literal `new URL('./x.sh', import.meta.url)`s: the only form that the bundler carries along. */
  scripts: readonly URL[];
}

/** The lock that a program takes before it starts; a program that lingers keeps it. */
export interface LockRequest {
  /** Absolute path of the lock file on the host. */
  path: string;
  /** Milliseconds to wait for another holder. */
  wait: number;
  /** Who takes it, on one line, for those who find it taken. */
  holder: string;
}

export interface ProgramOptions {
  /** Milliseconds after which the host ends the program. */
  deadline: number;
  /**
   * What the host does when the runner is gone: `end` the program; let it `finish` (it is short and must not be cut);
   * `linger`: end it, and when it is done wait for `release` or the runner's end, with the lock kept.
   */
  atEnd: 'end' | 'finish' | 'linger';
  lock?: LockRequest;
  /** Ends the program, unless it is one that finishes. */
  signal?: AbortSignal;
  /** A line that the program or its children printed: hostile until cleaned. */
  onLog?: (line: string) => void;
  /** How far a long step is, as the program told. */
  onProgress?: (name: string, value: string) => void;
}

/** A program that was started. */
export interface Run {
  /** @throws Failure: `cancelled`, `deadline`, `lock-held`, what the program named, or what became of the connection */
  result: Promise<Records>;
  /** Lets a lingering program go, and waits until the host has put itself in order. */
  release(): Promise<void>;
}

/** Says why a process that speaks to the host ended as it did. */
export type Explain = (exit: { code: number | null; begun: boolean; stderr: string }) => Promise<Failure>;

/** The runner's sign of life; the host gives up after `silence`. */
const heartbeat = 10_000;
const silence = 60_000;
/** The host ends a group within 3 s and tidies up; the Actions runner waits 7.5 s. */
const patienceAfterCancel = 5_500;
const largestResult = 64 * 1024 * 1024;
const supervisor = [new URL('./lock.sh', import.meta.url), new URL('./supervisor.sh', import.meta.url)];

/**
 * Speaks the program protocol with a process whose stdin and stdout lead to the bootstrap on the host.
 * @param start starts that process
 */
export function runProgram(
  start: () => ChildProcess,
  explain: Explain,
  program: Program,
  parameters: readonly string[],
  options: ProgramOptions,
): Run {
  const nonce = randomBytes(16).toString('hex');
  const request = frame(program, [...supervisorParameters(nonce, options), ...parameters]);
  if (options.signal?.aborted) return { result: Promise.reject(cancelled(program)), release: async () => {} };

  const child = start();
  const stdin = child.stdin ?? unpiped();
  // The host may hang up first; what that means shows in its exit.
  stdin.on('error', () => {});
  stdin.write(request);
  const beating = setInterval(() => stdin.write('.'), heartbeat);

  let hungUp = false;
  const hangUp = () => {
    hungUp = true;
    stdin.end();
    setTimeout(() => child.kill('SIGKILL'), patienceAfterCancel).unref();
  };
  if (options.atEnd !== 'finish') options.signal?.addEventListener('abort', hangUp, { once: true });

  const output = listen(child, nonce, options);
  const ended = output.ended.finally(() => {
    clearInterval(beating);
    options.signal?.removeEventListener('abort', hangUp);
  });

  const result = Promise.race([output.verdict, ended.then(() => undefined)]).then(async (verdict) => {
    if (verdict === 'done') return output.records();
    // The verdict comes after the host has put itself in order; its process may take a moment longer.
    const { code, reason } = await ended;
    if (hungUp) throw cancelled(program);
    if (reason === 'deadline') throw deadlineOver(program, options.deadline);
    if (reason === 'silence') throw unheard(program);
    if (reason === 'too-large') throw tooLarge(program);
    if (verdict === 'failed') throw programFailure(program, output.records(), code, output.lastLines());
    throw await explain({ code, begun: output.begun(), stderr: output.lastLines() });
  });

  return {
    result,
    release: async () => {
      hungUp ||= options.atEnd !== 'finish';
      stdin.end();
      await ended.catch(() => {});
    },
  };
}

function frame(program: Program, parameters: readonly string[]): Buffer {
  const texts = [...supervisor, ...program.scripts].map((script) => readFileSync(script, 'utf8'));
  const script = Buffer.from(`${texts.join('\n')}\nsupervise "\${p[@]}"\n`);
  const unusable = parameters.findIndex((parameter) => parameter.includes('\0'));
  if (unusable >= 0) throw new RangeError(`Parameter ${unusable} of the program ${program.name} holds NUL`);
  return Buffer.concat([
    Buffer.from(`${script.length}\n`),
    script,
    Buffer.from(`${parameters.length}\n${parameters.map((parameter) => `${parameter}\0`).join('')}`),
  ]);
}

function supervisorParameters(nonce: string, { deadline, atEnd, lock }: ProgramOptions): string[] {
  const seconds = (ms: number) => String(Math.ceil(ms / 1_000));
  const lockParameters = lock ? [lock.path, seconds(lock.wait), lock.holder] : ['', '0', ''];
  return [nonce, seconds(silence), seconds(deadline), atEnd, ...lockParameters];
}

type Verdict = 'done' | 'failed';

/** Reads both streams of the process: the frame and its records, the log, and the supervisor's own lines. */
function listen(child: ChildProcess, nonce: string, { onLog, onProgress }: ProgramOptions) {
  const chunks: Buffer[] = [];
  let size = 0;
  let tail = Buffer.alloc(0);
  let verdict: Verdict | undefined;
  let reason: string | undefined;
  let announce: (verdict: Verdict) => void;
  const verdictKnown = new Promise<Verdict>((resolve) => {
    announce = resolve;
  });
  const lastLines: string[] = [];

  child.stdout?.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size > largestResult) {
      reason = 'too-large';
      child.kill('SIGKILL');
    }
    tail = Buffer.concat([tail, chunk]).subarray(-64);
    if (tail.includes(`done ${nonce}\n`)) verdict = 'done';
    if (tail.includes(`failed ${nonce}\n`)) verdict = 'failed';
    if (verdict) announce(verdict);
  });

  const readLog = (line: string) => {
    lastLines.push(line);
    if (lastLines.length > 20) lastLines.shift();
    onLog?.(line);
  };
  readLines(child, (line) => {
    // The supervisor's word may come in the middle of a line that the program has not ended.
    const own = line.indexOf(`${nonce} `);
    if (own !== 0) readLog(own < 0 ? line : line.slice(0, own));
    if (own < 0) return;
    const [what, name = '', ...value] = line.slice(own + nonce.length + 1).split(' ');
    if (what === 'ended') reason = name;
    if (what === 'progress') onProgress?.(name, value.join(' '));
  });

  const ended = new Promise<{ code: number | null; reason: string | undefined }>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, reason }));
  });
  const begin = Buffer.from(`begin ${nonce}\n`);
  const whole = () => Buffer.concat(chunks);
  return {
    verdict: verdictKnown,
    ended,
    begun: () => whole().includes(begin),
    lastLines: () => lastLines.join('\n'),
    /** Between the two marks: what the user's start files printed stands before the first. */
    records: () => {
      const output = whole();
      const end = output.lastIndexOf(`${verdict} ${nonce}\n`);
      return Records.parse(output.subarray(output.indexOf(begin) + begin.length, end));
    },
  };
}

function readLines(child: ChildProcess, onLine: (line: string) => void): void {
  let rest = '';
  child.stderr?.setEncoding('utf8');
  child.stderr?.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    // A line without an end must not grow without one.
    if (rest.length > 100_000) rest = rest.slice(-10_000);
    for (const line of lines) onLine(line);
  });
  child.stderr?.on('end', () => {
    if (rest !== '') onLine(rest);
  });
}

function programFailure(program: Program, records: Records, code: number | null, stderr: string): Failure {
  const name = records.find('failure');
  const detail = records.find('detail');
  if (name === undefined) {
    return new Failure('program-failed', `The program ${program.name} failed on the host with exit ${code}`, {
      cause: stderr,
    });
  }
  return new Failure(name, detail ?? `The program ${program.name} failed: ${name}`, { cause: stderr });
}

function cancelled(program: Program): Failure {
  return new Failure('cancelled', `The program ${program.name} was cancelled: the host ends it`);
}

function tooLarge(program: Program): Failure {
  return new Failure('result-too-large', `The program ${program.name} reported more than ${largestResult} bytes`, {
    hint: 'Keep fewer backups in one folder, or give this database a folder of its own as "backup-dir"',
  });
}

function unheard(program: Program): Failure {
  return new Failure(
    'runner-unheard',
    `The host heard nothing from the runner for ${silence / 1_000} s, and has ended the program ${program.name}`,
    { hint: 'See what held the runner or the network up; run it again' },
  );
}

function deadlineOver(program: Program, deadline: number): Failure {
  return new Failure('deadline', `The program ${program.name} did not end within ${deadline / 1_000} s`, {
    hint: 'See what the database waits for, or raise the input "timeout"',
  });
}

function unpiped(): never {
  throw new TypeError('A process that speaks to the host needs a pipe for its stdin');
}
