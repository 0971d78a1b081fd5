import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import * as core from '@actions/core';
import { Failure } from '../failure.ts';

const prefix = 'atlasia-';
const state = 'private-folders';

/**
 * Longest path of a unix socket in the folder, in bytes. The system's limit is 104 including the NUL; ssh first creates the
 * socket under a name that is 17 bytes longer, then renames it.
 */
const longestSocketPath = 85;
const longestSocketName = '/control'.length;

/** A folder that only this step's user can enter, for keys and sockets. */
export interface PrivateFolder {
  /** Absolute; short enough for a socket in it with a name of up to 7 bytes. */
  path: string;
  /** Ends processes that still use the folder, then removes it. Synchronous, so that a dying step can call it. */
  remove(): void;
}

const made: string[] = [];

/**
 * Creates a private folder and records it for the post-step, which removes it if the step is killed.
 * @throws Failure `no-private-folder`
 */
export function makePrivateFolder(): PrivateFolder {
  const path = makeFolder();
  made.push(path);
  core.saveState(state, JSON.stringify(made));
  return { path, remove: () => removePrivateFolder(path) };
}

/** For the post-step: the folders that the main step recorded. */
export function recordedFolders(): string[] {
  const recorded = core.getState(state);
  return recorded === '' ? [] : (JSON.parse(recorded) as string[]);
}

/**
 * Ends our processes that name the folder on their command line (like an ssh master, by its socket), then removes it.
 * Does nothing if it no longer exists.
 * @returns whether there was anything to do
 * @throws Failure `not-our-folder` for a path that `makePrivateFolder` cannot have created
 */
export function removePrivateFolder(path: string): boolean {
  if (!isOurName(path)) throw notOurs(path);
  const ended = endProcessesNaming(path);

  const folder = lstatSync(path, { throwIfNoEntry: false });
  if (folder === undefined) return ended > 0;
  // lstat, because somebody may have replaced it by a link to another folder.
  if (!folder.isDirectory() || folder.uid !== process.getuid?.()) throw notOurs(path);
  rmSync(path, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 });
  return true;
}

function makeFolder(): string {
  const parent = allowedParents().find(
    (folder) => Buffer.byteLength(join(folder, `${prefix}XXXXXX`)) + longestSocketName <= longestSocketPath,
  );
  if (parent === undefined) {
    throw new Failure(
      'no-private-folder',
      'The path of the folder for temporary files is too long for a socket in it',
      {
        hint: 'Set TMPDIR for this step to a folder with a path of fewer than 60 characters',
      },
    );
  }
  try {
    // mkdtemp gives it mode 0700.
    return mkdtempSync(join(parent, prefix));
  } catch (cause) {
    throw new Failure('no-private-folder', `Cannot create a folder in ${parent} on the runner`, { cause });
  }
}

/** The job's own folder, which the runner empties; the system's folder if the path of that is too long. */
function allowedParents(): string[] {
  const runnerTemp = process.env['RUNNER_TEMP'];
  return (runnerTemp ? [runnerTemp, tmpdir()] : [tmpdir()]).map((folder) => resolve(folder));
}

function isOurName(path: string): boolean {
  return allowedParents().includes(dirname(path)) && /^atlasia-[A-Za-z0-9]{6}$/.test(basename(path));
}

function notOurs(path: string): Failure {
  return new Failure('not-our-folder', `${path} was not removed: it is not a private folder of this action`);
}

/** Returns how many it ended. The folder's name is random, so a process that names it was started for it. */
function endProcessesNaming(path: string): number {
  let ended = 0;
  for (const pid of processIds()) {
    if (pid === process.pid || !commandLine(pid).includes(path)) continue;
    try {
      process.kill(pid, 'SIGKILL');
      ended += 1;
    } catch {
      // It has ended meanwhile, or is not ours.
    }
  }
  return ended;
}

function processIds(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
