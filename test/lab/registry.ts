import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { run, whereIs } from './command.ts';
import { folder } from './folder.ts';
import { needPrograms } from './packages.ts';
import { freePort } from './port.ts';

/** A registry with a login, on loopback, where Docker needs no TLS. */
export interface Registry {
  /** `localhost:5000`, as references name it. */
  address: string;
  username: string;
  password: string;
  /** The end of its log, which tells why it refused something. */
  lastWords(): string;
  /** Takes it away, as an outage does. */
  stop(): Promise<void>;
  /** Brings it back, with what it held. */
  start(): Promise<void>;
  /** From now on the password is another one. */
  changePassword(): Promise<void>;
  /** Removes a manifest, and with it all of its tags. */
  remove(repository: string, tag: string): Promise<void>;
  /** Ends it; nothing of it stays. */
  close(): Promise<void>;
}

/** Starts a registry that ends with this process at the latest. */
export async function startRegistry(): Promise<Registry> {
  await needPrograms({ 'docker-registry': 'docker-registry', htpasswd: 'apache2-utils', setpriv: 'util-linux' });
  const home = mkdtempSync(join(folder('registries'), 'registry-'));
  mkdirSync(join(home, 'data'));
  const port = await freePort();
  const username = 'robot';
  const password = randomBytes(12).toString('hex');
  const file = (name: string) => join(home, name);
  const allow = async (word: string) => {
    writeFileSync(file('htpasswd'), await run(['htpasswd', '-Bbn', username, word]), { mode: 0o600 });
  };
  await allow(password);
  writeFileSync(file('config.yml'), configuration(home, port));

  let server: ChildProcess | undefined;
  const address = `localhost:${port}`;
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const start = async () => {
    const command = [
      '--pdeathsig',
      'KILL',
      whereIs('docker-registry') ?? 'docker-registry',
      'serve',
      file('config.yml'),
    ];
    const log = openSync(file('log'), 'a');
    server = spawn('setpriv', command, { stdio: ['ignore', 'ignore', log] });
    closeSync(log);
    for (let tries = 0; tries < 500; tries += 1) {
      const answer = await fetch(`http://127.0.0.1:${port}/v2/`).catch(() => undefined);
      if (answer !== undefined) return;
      await sleep(20);
    }
    throw new Error(`The registry did not start: see ${file('config.yml')}`);
  };
  const stop = async () => {
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    server.kill('SIGKILL');
    await once(server, 'exit');
  };
  await start();
  return {
    address,
    username,
    password,
    start,
    stop,
    lastWords: () => readFileSync(file('log'), 'utf8').slice(-2_000),
    async changePassword() {
      await allow(randomBytes(12).toString('hex'));
      // It reads the file once.
      await stop();
      await start();
    },
    async remove(repository, tag) {
      const manifest = `http://127.0.0.1:${port}/v2/${repository}/manifests`;
      const accept = 'application/vnd.docker.distribution.manifest.v2+json';
      const found = await fetch(`${manifest}/${tag}`, { method: 'HEAD', headers: { authorization, accept } });
      const digest = found.headers.get('docker-content-digest');
      const removed = await fetch(`${manifest}/${digest}`, { method: 'DELETE', headers: { authorization } });
      if (removed.status !== 202) throw new Error(`${repository}:${tag} was not removed: ${removed.status}`);
    },
    async close() {
      await stop();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function configuration(home: string, port: number): string {
  return `version: 0.1
log: {level: error}
storage:
  filesystem: {rootdirectory: ${join(home, 'data')}}
  delete: {enabled: true}
http: {addr: "127.0.0.1:${port}", secret: lab}
auth:
  htpasswd: {realm: lab, path: ${join(home, 'htpasswd')}}
`;
}
