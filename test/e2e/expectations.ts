// What every test of a whole action expects, said once.
import assert from 'node:assert/strict';
import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Account } from '../lab/account.ts';
import { until } from '../lab/faults.ts';
import type { FileFact } from '../lab/files.ts';
import type { Host } from '../lab/host.ts';
import type { ActionResult } from '../lab/runner.ts';

/** How an action has to tell of its failure. */
export interface Refusal {
  /** Of the annotation: what happened. */
  message: RegExp;
  /** Of the line in the log that says what to do. */
  hint: RegExp;
}

export const logOf = ({ stdout, stderr }: ActionResult): string => stdout + stderr;

/** The action has failed in good order: it says why and what to do, and nothing of it stays on the runner. */
export function refused(result: ActionResult, { message, hint }: Refusal): void {
  const log = logOf(result);
  assert.equal(result.exitCode, 1, log);
  const [error, ...others] = errorsOf(result);
  assert.ok(error, `There is no error annotation:\n${log}`);
  assert.deepEqual(others, [], log);
  assert.match(error.message, message, log);
  assert.match(error.properties['title'] ?? '', / failed(: [a-z-]+)?$/);
  assert.match(adviceIn(result), hint, log);
  assert.equal(result.outputs['status'], 'failed');
  runnerIsClean(result);
}

/** What the log says under "What to do". */
export function adviceIn({ stdout }: ActionResult): string {
  const begin = stdout.indexOf('What to do: ');
  return begin < 0 ? '' : stdout.slice(begin).replaceAll(/\x1b\[[\d;]*m/g, '');
}

/** The action has succeeded, and told of no error. */
export function succeeded(result: ActionResult): void {
  const log = logOf(result);
  assert.equal(result.exitCode, 0, log);
  assert.equal(result.outputs['status'], 'succeeded', log);
  assert.deepEqual(errorsOf(result), [], log);
  bashIsContent(result);
  runnerIsClean(result);
}

/** No shell program on the host has a fault that bash tells of and goes on. */
export function bashIsContent(result: ActionResult): void {
  assert.doesNotMatch(logOf(result), /\b(environment|bash|engine\.sh): line \d+:/);
}

/** GitHub's library for caches leaves the list of what it has packed, which is one path; the runner removes it. */
export const ofTheCacheLibrary = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(\/manifest\.txt)?$/;

/** No key, folder or process of the step is left, and the runner has executed nothing that was not the action's own. */
export function runnerIsClean(result: ActionResult): void {
  assert.deepEqual(
    result.remaining.map(({ path }) => path).filter((path) => !ofTheCacheLibrary.test(path)),
    [],
    'left in RUNNER_TEMP',
  );
  assert.deepEqual(
    result.leftovers.map(({ command }) => command.join(' ')),
    [],
    'still running on the runner',
  );
  assert.equal(result.heldLog, false, 'something held the log open');
  commandsAreOurs(result);
}

/** Nothing that the host or an input said became a command of the runner's. */
export function commandsAreOurs(result: ActionResult): void {
  const ours = ['add-mask', 'group', 'endgroup', 'error', 'warning', 'notice'];
  const foreign = result.commands.filter(({ name }) => !ours.includes(name));
  assert.deepEqual(foreign, [], 'commands that no action gives');
  // Secrets are masked where inputs are read, before anything is asked of the host.
  // The signatures of GitHub's own addresses come later, by its library.
  const isSignature = (mask: string) => /^[A-Za-z0-9+/%]{42,}(=|%3D|%253D)$/.test(mask);
  const masks = result.commands.findLastIndex(({ name, message }) => name === 'add-mask' && !isSignature(message));
  const groups = result.commands.findIndex(({ name }) => name === 'group');
  assert.ok(groups < 0 || masks < groups, 'a mask was set after the inputs were read');
  for (const { message, properties } of errorsOf(result)) {
    assert.match(properties['title'] ?? '', /^(\S+-action (failed(: [a-z-]+)?|cancelled)|Backup incomplete)$/, message);
  }
}

/** Nothing of the actions runs on the host any more, in no session of the database and over no connection. */
export async function hostIsClean(host: Host): Promise<void> {
  const isClean = async () =>
    (host.ssh.connections().length === 0 && (await host.isAtRest()) && (await host.database.sessions()).length === 0) ||
    undefined;
  await until('a clean host', isClean).catch(async (cause) => {
    const left = {
      processes: (await host.processes()).map(({ where, command }) => `${where}: ${command}`),
      sessions: (await host.database.sessions()).map(({ application, query }) => `${application}: ${query}`),
      connections: host.ssh.connections().map(({ command }) => command.join(' ')),
    };
    throw new Error(`Left on the host: ${JSON.stringify(left, null, 2)}`, { cause });
  });
}

/** What each run writes anew; all else in a backup folder stays as it is. */
const ofEveryRun = /^(\.lock(\.\w+)?|(backup|postgres)\.log|rollback\/(history\.jsonl|deployment_tags\.log))$/;

/** Logins at a registry that a program of the account has left: what a stranger has put there under such a name is none. */
export function loginsLeft(account: Account): string[] {
  const isOurs = (name: string) => lstatSync(join('/dev/shm', name), { throwIfNoEntry: false })?.uid === account.uid;
  return readdirSync('/dev/shm').filter(
    (name) => /^atlasia-login\./.test(name) && !existsSync(`/proc/${name.split('.')[1]}`) && isOurs(name),
  );
}

/** Every file that was there before is there as it was; others may have come. */
export function untouched(before: readonly FileFact[], after: readonly FileFact[]): void {
  const facts = (files: readonly FileFact[]) =>
    new Map(
      files
        .filter(({ path, type }) => type !== 'folder' && !ofEveryRun.test(path))
        .map(({ path, type, mode, uid, inode, size, modified, content }) => [
          path,
          { type, mode, uid, inode, size, modified, content },
        ]),
    );
  const now = facts(after);
  for (const [path, fact] of facts(before)) assert.deepEqual(now.get(path), fact, path);
}

/** Nothing that a run has begun and not ended is left in a backup folder. */
export function nothingPartial(files: readonly FileFact[]): void {
  assert.deepEqual(
    files.map(({ path }) => path).filter((path) => path.includes('.partial')),
    [],
  );
}

export function errorsOf({ annotations }: ActionResult) {
  return annotations.filter(({ name }) => name === 'error');
}
