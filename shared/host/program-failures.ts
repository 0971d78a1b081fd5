import { Failure } from '../failure.ts';
import { isFailureCode } from '../failure-codes.ts';
import { formatBytes, formatDuration } from '../units.ts';
import { type Excess, largestAnswer, mostRecords } from './answer.ts';
import type { Program, ProgramOptions } from './program.ts';
import type { Records } from './records.ts';

/** Of what a program says of its failure, in UTF-16 units: more is no sentence for anybody. */
const longestDetail = 20_000;

/** A failure that the program has named, or that it ended without a name for. */
export function programFailure(program: Program, records: Records, code: number | null, cause: string): Failure {
  const name = records.find('failure');
  const detail = records.find('detail')?.slice(0, longestDetail);
  // Nobody but us can mend that.
  if (name === 'misfit')
    throw new TypeError(`The program ${program.name} was given other parameters than it takes: ${detail}`);
  if (name === undefined) {
    const exit = code === null ? 'an exit that it did not tell' : `exit ${code}`;
    return new Failure('program-failed', `The program ${program.name} failed on the host with ${exit}`, { cause });
  }
  if (isFailureCode(name)) return new Failure(name, detail ?? `The program ${program.name} failed: ${name}`, { cause });
  return new Failure('program-failed', `The program ${program.name} failed on the host: ${name}, ${detail}`, { cause });
}

export function cancelled(program: Program): Failure {
  return new Failure('cancelled', `The program ${program.name} was cancelled: the host ends it`);
}

export function tooMuch(program: Program, excess: Excess): Failure {
  const limit = excess === 'bytes' ? formatBytes(largestAnswer) : `${mostRecords} records`;
  return new Failure('result-too-large', `The program ${program.name} reported more than ${limit}`, {
    hint:
      excess === 'bytes'
        ? 'Keep fewer backups in one folder, or give this database a folder of its own as "backup-dir"'
        : 'A table is one record, and a file in the backup folder another: keep fewer backups in one folder, or give this database a folder of its own as "backup-dir". Where there are not nearly as many, see what else answers on the host',
  });
}

export function runnerUnheard(program: Program, silence: number): Failure {
  return new Failure(
    'runner-unheard',
    `The host heard nothing from the runner for ${silence / 1_000} s, and has ended the program ${program.name}`,
    { hint: 'See what held the runner or the network up; run it again' },
  );
}

export function deadlineOver(program: Program, deadline: number): Failure {
  return new Failure('deadline', `The program ${program.name} did not end within ${deadline / 1_000} s`, {
    hint: 'See what the database waits for, or raise the input "timeout"',
  });
}

/**
 * The host was waited for as long as it may take, and longer. All times in milliseconds.
 * @param isEnding whether it has told that it ends the program
 * @param unheard since the last byte of the program
 */
export function hostSilent(
  { name, step }: Program,
  { deadline, atEnd }: ProgramOptions,
  { isEnding, grace, unheard, cause }: { isEnding: boolean; grace: number; unheard: number; cause: string },
): Failure {
  const what = `${step} (program ${name})`;
  const message = isEnding
    ? `The host was told to stop ${what} after ${formatDuration(deadline)}, and had not finished stopping it ${formatDuration(grace)} later`
    : `The host has sent nothing for ${formatDuration(unheard)} during ${what}, whose limit was ${formatDuration(deadline)}`;
  const state =
    atEnd === 'finish'
      ? 'It is not known whether it was done: the host may have done it, or do it yet.'
      : 'It is not known how far the host has come. When it goes on, it ends this by itself and removes what is not complete.';
  return new Failure('host-silent', message, {
    hint: `${state} On the host, look for what hangs, such as a disk that fails or is frozen: dmesg | tail; ps -eo pid,stat,wchan:30,args | grep ' D'`,
    cause,
  });
}
