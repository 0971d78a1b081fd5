// What the tests of the protocol run their programs on: this machine, and an account that is reached over ssh.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import type { Failure } from '../../shared/failure.ts';
import type { Connection } from '../../shared/host/connection.ts';
import { connectLocally } from '../../shared/host/local.ts';
import type { ProgramOptions, Run } from '../../shared/host/program.ts';
import { connectBySsh } from '../../shared/host/ssh.ts';
import { diagnoseKey } from '../../shared/runner/key-diagnosis.ts';
import { type Account, giveTo, hostAccount } from '../lab/account.ts';
import { until } from '../lab/faults.ts';
import { folder as labFolder, temporaryFolder } from '../lab/folder.ts';
import { makeKey } from '../lab/keys.ts';
import { processes } from '../lab/processes.ts';
import { type SshServer, startSshServer } from '../lab/sshd.ts';
import { atEnd } from './stage.ts';

/** A program that is made for the tests. */
export const program = (name: string) => ({
  name,
  step: 'a trial',
  scripts: [new URL(`./programs/${name}.sh`, import.meta.url)],
});

export const patient: ProgramOptions = { deadline: 60_000, atEnd: 'end' };

/** Known in the environment of whatever a program starts. */
const mark = { name: 'ATLASIA_PROTOCOL_TEST', value: randomUUID() };

export interface Stage {
  account: Account;
  /** A folder that the account can get at. */
  root: string;
  server: SshServer;
  /** Another server, with more in its environment. */
  serve(name: string, environment: Record<string, string>): Promise<SshServer>;
  reach(server: SshServer): Promise<Connection>;
  /** A folder in which programs leave signs of what they did. */
  newFolder(): Promise<string>;
}

export async function stageForFile(): Promise<Stage> {
  const account = await hostAccount();
  const key = await makeKey();
  const root = mkdtempSync(join(labFolder('protocol'), 'test-'));
  atEnd(() => rmSync(root, { recursive: true, force: true }));
  chmodSync(root, 0o755);
  const serve: Stage['serve'] = async (name, environment) =>
    startSshServer({
      folder: mkdtempSync(join(root, `${name}-`)),
      account,
      authorized: [key],
      environment: { [mark.name]: mark.value, ...environment },
    });
  const server = await serve('sshd', {});
  atEnd(() => server.stop());
  return {
    account,
    root,
    server,
    serve,
    reach: ({ port, knownHosts }) =>
      connectBySsh(
        {
          host: '127.0.0.1',
          port,
          user: account.name,
          key: key.privateKey,
          passphrase: null,
          knownHosts,
          proxyJump: null,
        },
        { folder: temporaryFolder('atlasia'), diagnoseKey, signal: new AbortController().signal },
      ),
    newFolder: async () => {
      const path = mkdtempSync(join(root, 'work-'));
      await giveTo(account, path);
      return path;
    },
  };
}

/** Has the tests made for each of the two ways to a host. */
export function onEachConnection({ server, reach }: Stage, tests: (connection: () => Connection) => void): void {
  const ways: [string, () => Promise<Connection>][] = [
    ['on this machine', async () => locally()],
    ['over ssh', () => reach(server)],
  ];
  for (const [name, open] of ways) {
    describe(name, () => {
      let opened: Connection;
      before(async () => {
        opened = await open();
      });
      after(() => opened?.close());
      tests(() => opened);
    });
  }
}

/** As connectLocally, with the mark in the environment of what it starts. */
export function locally(): Connection {
  const connection = connectLocally();
  const run: Connection['run'] = (...words) => {
    process.env[mark.name] = mark.value;
    try {
      return connection.run(...words);
    } finally {
      delete process.env[mark.name];
    }
  };
  return { ...connection, run };
}

/** What programs have started and what lives; the runner's own ssh is none of it. */
function alive(): string[] {
  return processes()
    .filter(({ environment }) => environment.includes(`${mark.name}=${mark.value}`))
    .map(({ command }) => command.join(' '));
}

/** Stops what runs on the host, as if it hung; gives what lets it go on. */
export function freeze(): () => void {
  const frozen = processes().filter(({ environment }) => environment.includes(`${mark.name}=${mark.value}`));
  assert.ok(frozen.length > 0, 'nothing runs');
  for (const { pid } of frozen) process.kill(pid, 'SIGSTOP');
  return () => {
    for (const { pid } of frozen) process.kill(pid, 'SIGCONT');
  };
}

export async function nothingLives(): Promise<void> {
  await until('the end of all processes', async () => alive().length === 0 || undefined).catch(() => {});
  assert.deepEqual(alive(), []);
}

export const appears = (file: string) => until(file, async () => existsSync(file) || undefined);

export function failsWith(run: Run, code: string, message: RegExp = /./): Promise<void> {
  return assert.rejects(run.result, (error: Failure) => {
    assert.equal(error.code, code, `${error.message}\n${error.cause}`);
    assert.match(error.message, message);
    return true;
  });
}

export async function failureOf(run: Run): Promise<Failure> {
  return run.result.then(
    () => assert.fail('The program succeeded'),
    (error) => error,
  );
}
