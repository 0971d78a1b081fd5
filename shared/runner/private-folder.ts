import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import * as core from '@actions/core';
import { Failure } from '../failure.ts';

const prefix = 'atlasia-';
const state = 'private-folders';

/**
 * Bytes of the path of a unix socket in the folder. The system's limit is 104 with its NUL; ssh binds to a name that is
 * 17 longer and renames it.
 */
const longestSocketPath = 85;
const longestSocketName = '/control'.length;

/** A folder that only this step's user can enter, for keys and sockets. */
export interface PrivateFolder {
  /** Absolute; a socket in it with a name of up to 7 bytes works. */
  path: string;
  /** Ends what still uses the folder and removes it with all it holds. Synchronous, so that a dying step can. */
  remove(): void;
}

const made: string[] = [];

/**
 * Makes a private folder and records it for the post-step, which removes what a killed step leaves.
 * @throws Failure `no-private-folder`
 */
export function makePrivateFolder(): PrivateFolder {
  const path = makeFolder();
  made.push(path);
  core.saveState(state, JSON.stringify(made));
  return { path, remove: () => removePrivateFolder(path) };
}

/** The folders that the step before recorded, as the post-step is told. */
export function recordedFolders(): string[] {
  const recorded = core.getState(state);
  return recorded === '' ? [] : (JSON.parse(recorded) as string[]);
}

/**
 * Ends the processes of ours that name the folder (an ssh master does, by its socket), then removes it.
 * Nothing happens where it is gone already.
 * @returns whether there was anything to do
 * @throws Failure `not-our-folder` for anything that `makePrivateFolder` cannot have made
 */
export function removePrivateFolder(path: string): boolean {
  if (!isOurName(path)) throw notOurs(path);
  const ended = endProcessesNaming(path);

  const folder = lstatSync(path, { throwIfNoEntry: false });
  if (folder === undefined) return ended > 0;
  // lstat: a link put in its place must not lead the removal elsewhere.
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
      'The folders for temporary files have too long a path for a socket in them',
      {
        hint: 'Set TMPDIR for this step to a folder with a path of fewer than 60 characters',
      },
    );
  }
  try {
    // mkdtemp gives it mode 0700.
    return mkdtempSync(join(parent, prefix));
  } catch (cause) {
    throw new Failure('no-private-folder', `No folder can be made in ${parent} on the runner`, { cause });
  }
}

/** The job's own folder, which the runner empties, and the system's where the path of that is too long. */
function allowedParents(): string[] {
  const runnerTemp = process.env['RUNNER_TEMP'];
  return (runnerTemp ? [runnerTemp, tmpdir()] : [tmpdir()]).map((folder) => resolve(folder));
}

function isOurName(path: string): boolean {
  return allowedParents().includes(dirname(path)) && /^atlasia-[A-Za-z0-9]{6}$/.test(basename(path));
}

function notOurs(path: string): Failure {
  return new Failure('not-our-folder', `${path} is not a private folder of this action, and was not removed`);
}

/** How many were ended. The folder's name is random: who names it on the command line was started for it. */
function endProcessesNaming(path: string): number {
  let ended = 0;
  for (const pid of processIds()) {
    if (pid === process.pid || !commandLine(pid).includes(path)) continue;
    try {
      process.kill(pid, 'SIGKILL');
      ended += 1;
    } catch {
      // It ended by itself meanwhile, or is not ours to end.
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
