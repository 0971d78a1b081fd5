import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Failure } from '../failure.ts';
import { Answer, type Excess, type Verdict } from './answer.ts';
import { HostLog } from './host-log.ts';
import type { Parameters, Program, ProgramOptions, Run } from './program.ts';
import { cancelled, deadlineOver, hostSilent, programFailure, runnerUnheard, tooMuch } from './program-failures.ts';

/** How programs reach a host. */
export interface Access {
  /** Starts a process whose stdin and stdout lead to the bootstrap on the host. */
  start: () => ChildProcess;
  explain: Explain;
  /**
   * Whether that process is the program itself, not just our end of a connection. Such a process is never killed: it must
   * hold the lock for as long as its children may write.
   */
  isProgram: boolean;
}

/** Explains why a process that talks to the host ended. */
export type Explain = (exit: { code: number | null; begun: boolean; stderr: string }) => Promise<Failure>;

/** Interval of the runner's heartbeat; the host gives up after `silence`. In milliseconds, like all that follow. */
const heartbeat = 10_000;
const silence = 60_000;
/** The supervisor says every 10 s that it is alive. A host that has sent nothing for so long hangs, or never began. */
export const longestUnheard = 60_000;
/** How often to look whether anything has come. */
const betweenLooks = 5_000;
/** The host needs up to 3 s to end a process group, and then cleans up; the Actions runner kills us after 7.5 s. */
const patienceAfterCancel = 5_500;
/** A host that lives says at once that it has heard the end of its input. One that has not by now is not waited for. */
const patienceForAnswer = 2_500;
/**
 * Allowed beyond a program's deadline: time to open a session, up to 3 s to end the process group, up to 20 s to end the
 * sessions of the database, and time to remove unfinished files.
 */
export const usualGrace = 30_000;
/** The log may come a moment after the result. Whoever asks for its last lines must not miss the reason. */
const patienceForLog = 5_000;
/** The verdict comes after the host has cleaned up; its process may take a moment longer to end. */
const patienceAfterVerdict = 5_000;
/** How long closing a connection waits for running programs: a host that hangs must not keep the step from ending. */
export const patienceAtClose = 5_000;
/** The same for a run that was cancelled, which has little time. */
export const patienceAtCancelledClose = 1_000;
/** Bytes that are written at once. */
const requestPiece = 64 * 1024;
/** How many of the last lines a failure shows. */
const linesOfCause = 20;
/** With a longer delay, setTimeout would fire at once. */
const longestTimer = 2 ** 31 - 1;
const supervisor = [
  new URL('./parameters.sh', import.meta.url),
  new URL('./lock.sh', import.meta.url),
  new URL('./supervisor.sh', import.meta.url),
];

/** What follows the request on the program's stdin. */
export interface Speech {
  /** Says that the runner is alive. */
  heartbeat: string;
  /** Called once, behind the request. */
  begin(stdin: Writable): void;
}

const onlyHeartbeats: Speech = { heartbeat: '.', begin: () => {} };

/** Why the runner no longer waits for the host. `late`: the program should long have ended, whatever the host says. */
type GivenUp = 'silent' | 'late' | Excess | 'log';

/** Starts a program and speaks its protocol. Whatever the host does or fails to do, `result` settles in time. */
export function runProgram<P extends Parameters>(
  access: Access,
  program: Program<P>,
  parameters: NoInfer<P>,
  options: ProgramOptions,
  speech = onlyHeartbeats,
): Run {
  const nonce = randomBytes(16).toString('hex');
  const request = frame(program, supervisorParameters(nonce, options), parameters);
  if (options.signal?.aborted) return neverStarted(program);
  const grace = options.grace ?? usualGrace;

  let quietLooks = 0;
  let isOver = false;
  const child = access.start();
  const stdin = child.stdin ?? unpiped();
  // The host may hang up first; its exit code will say why.
  stdin.on('error', () => {});
  let beating: NodeJS.Timeout | undefined;
  const sent = sendInPieces(stdin, request, () => {
    quietLooks = 0;
  }).then(() => {
    if (isOver) return;
    beating = setInterval(() => stdin.write(speech.heartbeat), heartbeat);
    speech.begin(stdin);
  });
  // Behind the request, which a program that finishes must get as a whole.
  const endInput = () => sent.then(() => stdin.end());

  const { files } = options;
  const answer = new Answer(nonce, files);
  const log = new HostLog(nonce, options);
  let heard = Date.now();
  let givenUp: GivenUp | undefined;
  let exited: (code: number | null) => void = () => {};
  const exit = new Promise<number | null>((resolve, reject) => {
    exited = resolve;
    child.on('error', reject);
    child.on('close', resolve);
  });
  const letGo = () => {
    if (!access.isProgram) child.kill('SIGKILL');
    for (const stream of child.stdio) stream?.destroy();
    child.unref();
    exited(null);
  };
  const giveUp = (why: GivenUp) => {
    givenUp ??= why;
    letGo();
  };

  let hungUp = false;
  const hangUp = () => {
    hungUp = true;
    endInput();
    const at = Date.now();
    const letGoIfUnheard = () => {
      if (heard < at && answer.verdict === undefined) letGo();
    };
    setTimeout(letGoIfUnheard, patienceForAnswer).unref();
    setTimeout(letGo, patienceAfterCancel).unref();
  };
  if (options.atEnd !== 'finish') options.signal?.addEventListener('abort', hangUp, { once: true });
  const patience = setTimeout(giveUp, Math.min(options.deadline + grace, longestTimer), 'late');

  // Looks are counted, not time: after a pause of the runner itself, what came meanwhile is read before the next look.
  const mostLooks = Math.ceil((options.unheard ?? longestUnheard) / betweenLooks);
  const looking = setInterval(() => {
    // While we take nothing from the host, it cannot be heard.
    quietLooks = files?.isFull ? 0 : quietLooks + 1;
    if (quietLooks >= mostLooks) giveUp('silent');
  }, betweenLooks);
  const hear = () => {
    heard = Date.now();
    quietLooks = 0;
  };
  const stopWaiting = () => {
    clearTimeout(patience);
    clearInterval(looking);
  };

  const verdict = new Promise<Verdict>((resolve) => {
    child.stdout?.on('data', (piece: Buffer) => {
      hear();
      const excess = answer.add(piece);
      if (excess !== undefined) giveUp(excess);
      if (answer.verdict !== undefined) resolve(answer.verdict);
      if (files?.isFull && answer.verdict === undefined) child.stdout?.pause();
    });
  });
  if (files !== undefined) files.onDrain = () => child.stdout?.resume();
  const told = new Promise<void>((resolve) => {
    child.stderr?.on('data', (piece: Buffer) => {
      hear();
      if (log.add(piece)) giveUp('log');
      if (log.isTold) resolve();
    });
  });
  const ended = exit.finally(() => {
    isOver = true;
    clearInterval(beating);
    stopWaiting();
    options.signal?.removeEventListener('abort', hangUp);
    log.end();
  });

  const result = Promise.race([verdict, ended]).then(async () => {
    // From here on, the caller decides how long a lingering program stays.
    stopWaiting();
    if (answer.verdict === 'done') {
      await Promise.race([told, exit.catch(() => {}), sleep(patienceForLog, undefined, { ref: false })]);
      return answer.records();
    }
    const parting = setTimeout(letGo, patienceAfterVerdict);
    const code = await ended;
    clearTimeout(parting);
    const cause = log.last.slice(-linesOfCause).join('\n');
    if (hungUp) throw cancelled(program);
    if (givenUp === 'silent' || givenUp === 'late') {
      throw hostSilent(program, options, {
        begun: answer.begun,
        isLate: givenUp === 'late',
        isEnding: log.endedFor === 'deadline',
        grace,
        unheard: Date.now() - heard,
        cause,
      });
    }
    if (givenUp !== undefined) throw tooMuch(program, givenUp, cause);
    if (log.endedFor === 'deadline') throw deadlineOver(program, options.deadline);
    if (log.endedFor === 'silence') throw runnerUnheard(program, silence);
    if (answer.verdict === 'failed') throw programFailure(program, answer.records(), code, cause);
    throw await access.explain({ code, begun: answer.begun, stderr: cause });
  });

  if (files !== undefined) {
    result.then(
      () => files.close(null),
      (error) => files.close(error),
    );
  }

  return {
    result,
    lastLines: () => log.last,
    release: async (longest = grace) => {
      hungUp ||= options.atEnd !== 'finish';
      endInput();
      let isSeen = true;
      const releasing = setTimeout(() => {
        isSeen = false;
        letGo();
      }, longest);
      await ended.catch(() => {});
      clearTimeout(releasing);
      return isSeen && givenUp === undefined;
    },
  };
}

/** Writes it piece by piece, so that it is known whether the host still reads. Settles also if the host hangs up. */
async function sendInPieces(stdin: Writable, bytes: Buffer, onSent: () => void): Promise<void> {
  for (let at = 0; at < bytes.length && !stdin.destroyed; at += requestPiece) {
    await new Promise((resolve) => stdin.write(bytes.subarray(at, at + requestPiece), resolve));
    onSent();
  }
}

function neverStarted(program: Program): Run {
  return { result: Promise.reject(cancelled(program)), lastLines: () => [], release: async () => true };
}

/** The script as it reaches the host, to the byte. */
export function scriptOf({ scripts }: Pick<Program, 'scripts'>): Buffer {
  const texts = [...supervisor, ...scripts].map((script) => readFileSync(script, 'utf8'));
  return Buffer.from(`${texts.join('\n')}\nsupervise\n`);
}

function frame(program: Program, ours: Parameters, given: Parameters): Buffer {
  const script = scriptOf(program);
  const pairs = [...Object.entries(ours), ...Object.entries(given)].flatMap(([key, value]) =>
    (typeof value === 'string' ? [value] : value).flatMap((each) => [key, each]),
  );
  const unusable = pairs.findIndex((text) => text.includes('\0'));
  if (unusable >= 0) throw new RangeError(`Parameter ${pairs[unusable - 1]} of the program ${program.name} holds NUL`);
  return Buffer.concat([
    Buffer.from(`${script.length}\n`),
    script,
    Buffer.from(`${pairs.length}\n${pairs.map((text) => `${text}\0`).join('')}`),
  ]);
}

function supervisorParameters(nonce: string, { deadline, atEnd, lock }: ProgramOptions): Parameters {
  const seconds = (ms: number) => String(Math.ceil(ms / 1_000));
  return {
    nonce,
    silence: seconds(silence),
    deadline: seconds(deadline),
    at_end: atEnd,
    lock: lock?.path ?? '',
    lock_wait: seconds(lock?.wait ?? 0),
    holder: lock?.holder ?? '',
  };
}

function unpiped(): never {
  throw new TypeError('A process that speaks to the host needs a pipe for its stdin');
}
