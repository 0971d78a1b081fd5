import { Failure } from '../failure.ts';
import { isFailureCode } from '../failure-codes.ts';
import { formatBytes, formatDuration } from '../units.ts';
import { type Excess, largestAnswer, mostRecords } from './answer.ts';
import { largestLog } from './host-log.ts';
import type { Program, ProgramOptions } from './program.ts';
import type { Records } from './records.ts';

/** Limit for a program's description of its failure, in UTF-16 units. */
const longestDetail = 20_000;

/** The failure that the program named, or a general one if it named none. */
export function programFailure(program: Program, records: Records, code: number | null, cause: string): Failure {
  const name = records.find('failure');
  const detail = records.find('detail')?.slice(0, longestDetail);
  // Only we can fix that.
  if (name === 'misfit') throw new TypeError(`The parameters of the program ${program.name} do not match: ${detail}`);
  if (name === undefined) {
    const exit = code === null ? 'exit code unknown' : `exit ${code}`;
    return new Failure('program-failed', `The program ${program.name} failed on the host (${exit})`, { cause });
  }
  if (isFailureCode(name)) return new Failure(name, detail ?? `The program ${program.name} failed: ${name}`, { cause });
  return new Failure('program-failed', `The program ${program.name} failed on the host: ${name}, ${detail}`, { cause });
}

export function cancelled(program: Program): Failure {
  return new Failure('cancelled', `The program ${program.name} was cancelled; the host is ending it`);
}

/** @param cause the last lines that the program printed */
export function tooMuch(program: Program, excess: Excess | 'log', cause: string): Failure {
  if (excess === 'log') {
    return new Failure(
      'result-too-large',
      `The program ${program.name} printed more than ${formatBytes(largestLog)} of messages, and was given up`,
      { hint: 'See in the last lines what prints them on the host, and stop that. Then run it again', cause },
    );
  }
  const limit = excess === 'bytes' ? formatBytes(largestAnswer) : `${mostRecords} records`;
  return new Failure('result-too-large', `The program ${program.name} sent more than ${limit}`, {
    hint:
      excess === 'bytes'
        ? 'Keep fewer backups in one folder, or give this database a folder of its own as "backup-dir"'
        : 'Each table and each file in the backup folder is one record: keep fewer backups in one folder, or give this database a folder of its own as "backup-dir". If you have far fewer, find out what else answers on the host',
  });
}

export function runnerUnheard(program: Program, silence: number): Failure {
  return new Failure(
    'runner-unheard',
    `The host heard nothing from the runner for ${silence / 1_000} s and ended the program ${program.name}`,
    { hint: 'Find out what held up the runner or the network, then run it again' },
  );
}

export function deadlineOver(program: Program, deadline: number): Failure {
  return new Failure('deadline', `The program ${program.name} did not end within ${deadline / 1_000} s`, {
    hint: 'Find out what the database is waiting for, or raise the input "timeout"',
  });
}

/** What is known of a host that says nothing. */
interface Silence {
  begun: boolean;
  isLate: boolean;
  isEnding: boolean;
  grace: number;
  unheard: number;
  cause: string;
}

/**
 * The failure when the host has said nothing for too long, or has not answered within the deadline plus a grace period. All
 * times in milliseconds.
 * @param begun whether the program had begun there
 * @param isLate whether the deadline and the grace are over: the host may have said something all the time
 * @param isEnding whether the host has said that it is ending the program
 * @param unheard time since the last byte from the program
 */
export function hostSilent(program: Program, options: ProgramOptions, silence: Silence): Failure {
  const { atEnd } = options;
  const state =
    atEnd === 'finish'
      ? 'It is unknown whether this was done: the host may have done it, or may still do it.'
      : 'It is unknown how far the host got. When it continues, it ends this on its own and removes incomplete files.';
  return new Failure('host-silent', whatIsSeen(program, options, silence), {
    hint: `${state} On the host, look for whatever hangs, such as a failing or frozen disk: dmesg | tail; ps -eo pid,stat,wchan:30,args | grep ' D'`,
    cause: silence.cause,
  });
}

function whatIsSeen(
  { name, step }: Program,
  { deadline }: ProgramOptions,
  { begun, isLate, isEnding, grace, unheard }: Silence,
): string {
  const what = `${step} (program ${name})`;
  const [limit, afterwards, quiet] = [deadline, grace, unheard].map(formatDuration);
  if (isEnding) {
    return `The host was told to stop ${what} after ${limit}, but had not finished stopping it ${afterwards} later`;
  }
  if (!begun) return `The host took the connection, and has not begun ${what} after ${quiet}`;
  if (!isLate) return `The host has sent nothing for ${quiet} during ${what}, whose limit was ${limit}`;
  return `The host had not ended ${what} ${afterwards} after its limit of ${limit}. It last sent something ${quiet} ago`;
}
