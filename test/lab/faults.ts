import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { basename, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { as } from './account.ts';
import { asRoot, run, whereIs } from './command.ts';
import { identifier } from './database.ts';
import type { Host, HostProcess } from './host.ts';
import { needPrograms } from './packages.ts';
import { programOf } from './processes.ts';
import type { RunningAction } from './runner.ts';

/** Undoes a fault; once is enough, and more often does no harm. */
export type Mend = () => Promise<void>;

/** How long a test waits for what must come about: only what never does makes a run longer, however busy the machine is. */
export const patienceMs = 120_000;

/** Waits until something is so; fails with its name where that takes too long. */
export async function until<T>(what: string, found: () => Promise<T | undefined>): Promise<T> {
  const end = performance.now() + patienceMs;
  // Most questions start programs, which take the processor from what is waited for.
  for (let pause = 25; ; pause = Math.min(2 * pause, 200)) {
    const value = await found();
    if (value !== undefined) return value;
    if (performance.now() > end) throw new Error(`It did not come about within ${patienceMs} ms: ${what}`);
    await sleep(pause);
  }
}

/** Cuts every connection to the host: sshd's processes for them die, so the runner's end learns of it at once. */
export function cutConnections(host: Host): void {
  const pids = host.ssh.connections().map(({ pid }) => pid);
  if (pids.length === 0) throw new Error('There is no connection to cut');
  signal(pids, 'SIGKILL');
}

/** Stops the runner's ssh without a word to the host, as a network that swallows packets does. */
export function freezeConnection(action: RunningAction): Mend {
  const pids = action
    .processes()
    .filter(({ pid, command }) => basename(programOf(pid) ?? '') === 'ssh' || basename(command[0] ?? '') === 'ssh')
    .map(({ pid }) => pid);
  if (pids.length === 0) throw new Error('The action has no ssh');
  signal(pids, 'SIGSTOP');
  return async () => signal(pids, 'SIGCONT');
}

/** Stops all that the action is, as a runner that lost its power: nothing is closed, nothing is sent any more. */
export function freezeRunner(action: RunningAction): Mend {
  const pids = action.processes().map(({ pid }) => pid);
  signal(pids, 'SIGSTOP');
  return async () => signal(pids, 'SIGCONT');
}

/** Makes a backup folder that is a disk of its own, with so little room. */
export async function smallDisk(host: Host, backupDir: string, megabytes: number): Promise<Mend> {
  const path = join(host.deployDir, backupDir);
  await host.exec(['mkdir', '-p', path]);
  const { uid, gid } = host.account;
  await run(asRoot(['mount', '-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0700,uid=${uid},gid=${gid}`, 'lab', path]));
  return onlyOnce(async () => {
    await run(asRoot(['umount', '--lazy', path]));
  });
}

/** A disk that can be frozen as `fsfreeze` and hanging storage do: whoever writes to it waits, and cannot be killed. */
export interface FreezableDisk {
  freeze(): Promise<Mend>;
  remove: Mend;
}

/** Makes a backup folder that is a disk of its own, which can be frozen. */
export async function freezableDisk(host: Host, backupDir: string, megabytes: number): Promise<FreezableDisk> {
  await needPrograms({ 'mkfs.ext4': 'e2fsprogs', fsfreeze: 'util-linux', mount: 'mount' });
  const path = join(host.deployDir, backupDir);
  const image = `${path}.disk`;
  const { uid, gid } = host.account;
  await host.exec(['mkdir', '-p', path]);
  await run(['truncate', '--size', `${megabytes}M`, image]);
  await run(asRoot([whereIs('mkfs.ext4') ?? 'mkfs.ext4', '-q', image]));
  // Who only reads from it must not have to write down when.
  await run(asRoot(['mount', '-o', 'loop,noatime', image, path]));
  await run(asRoot(['rmdir', join(path, 'lost+found')]));
  await run(asRoot(['chown', `${uid}:${gid}`, path]));
  await run(asRoot(['chmod', '0700', path]));
  // By the end of its input at the latest, it thaws: a test that is killed must not leave the machine with a frozen disk.
  const freezing = '"$1" --freeze "$2" && echo held && cat; "$1" --unfreeze "$2"';
  return {
    freeze: async () => {
      const command = asRoot(['sh', '-c', freezing, 'sh', whereIs('fsfreeze') ?? 'fsfreeze', path]);
      return onlyOnce(await held(start(command, process.env), ''));
    },
    remove: onlyOnce(async () => {
      await run(asRoot(['umount', '--lazy', path]));
      rmSync(image);
    }),
  };
}

/** Stops all that the actions have running on the host by now: it neither works, nor answers, nor ends. */
export async function freezePrograms(host: Host): Promise<Mend> {
  const pids = (await host.processes()).map(({ pid }) => pid);
  if (pids.length === 0) throw new Error('Nothing runs on the host');
  signal(pids, 'SIGSTOP');
  return async () => signal(pids, 'SIGCONT');
}

/** Stops the host's SSH server with all of its connections, as a host does that has no memory left, or no disk. */
export function freezeSshServer(host: Host): Mend {
  const pids = [host.ssh.pid, ...host.ssh.connections().map(({ pid }) => pid)];
  signal(pids, 'SIGSTOP');
  return async () => signal(pids, 'SIGCONT');
}

/** Fills a folder until so much is left in it, also while others write there. */
export async function leaveRoom(host: Host, backupDir: string, kilobytes: number): Promise<void> {
  const path = join(host.deployDir, backupDir);
  const script = [
    'for attempt in {1..50}; do',
    '  free=$(df --output=avail -k "$1" | tail -n 1) || exit',
    '  ((free > $2)) || exit 0',
    '  size=$(stat --format %s "$1/ballast" 2>/dev/null || echo 0)',
    '  fallocate -l "$((size + (free - $2) * 1024))" "$1/ballast"',
    'done',
    'exit 1',
  ].join('\n');
  const outcome = await host.exec(['bash', '-c', script, 'bash', path, String(kilobytes)]);
  if (outcome.code !== 0) throw new Error(outcome.stderr);
}

/** A port of loopback where connections are taken and nobody ever says a word. */
export async function silentPort(): Promise<{ port: number; close: Mend }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket.on('error', () => {})));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { port, close };
}

/** The database's container stands still: connections neither work nor end. */
export async function pauseDatabase(host: Host): Promise<Mend> {
  const container = await host.container('db');
  await host.docker('pause', container);
  return onlyOnce(async () => {
    await host.docker('unpause', container);
  });
}

/** The server takes connections, and says nothing: whoever asks it waits. */
export async function stopPostmaster(host: Host): Promise<Mend> {
  const container = await host.container('db');
  // The first process of the container is its init, which has no part in what PostgreSQL does.
  const signalled = 'kill -s "$1" "$(head -n 1 "$PGDATA/postmaster.pid")"';
  const send = (name: string) => host.docker('exec', container, 'sh', '-c', signalled, 'sh', name);
  await send('STOP');
  return onlyOnce(async () => void (await send('CONT')));
}

/** The database's container is gone from one moment to the next. */
export async function killDatabase(host: Host): Promise<Mend> {
  await host.docker('kill', await host.container('db'));
  return () => host.composeUp();
}

/** The database's container was stopped in order. */
export async function stopDatabase(host: Host): Promise<Mend> {
  await host.docker('stop', await host.container('db'));
  return () => host.composeUp();
}

/** There is no container of the database, as before the first deployment. */
export async function removeDatabase(host: Host): Promise<Mend> {
  await host.docker('rm', '--force', await host.container('db'));
  return () => host.composeUp();
}

/** PostgreSQL ends the session of a dump that stands still, and no other, as an administrator does. */
export async function terminateDump(host: Host): Promise<void> {
  const ended = await host.psql(`SELECT pg_terminate_backend(pid) ${stalledDumps}`);
  if (ended === '') throw new Error('No dump stands still');
}

/** Kills whatever compresses, on the host or in the database's container. */
export async function killCompressor(host: Host): Promise<void> {
  await killProcess(host, /(^|\/)(zstd|gzip) -[qn] -c .*-\d+$/);
}

/** Kills what decompresses the dump while it is written, so that it can be parsed. */
export async function killDecompressor(host: Host): Promise<void> {
  await killProcess(host, /(^|\/)zstd -d -v /);
}

async function killProcess(host: Host, command: RegExp): Promise<void> {
  const victim = await hostProcess(host, command);
  await run(asRoot(['kill', '-KILL', String(victim.pid)]));
}

/** Waits for a program of an action on the host; in a container it is known by its number outside. */
export async function hostProcess(host: Host, command: RegExp): Promise<HostProcess> {
  return until(`a process ${command} on the host`, async () =>
    (await host.processes()).find((candidate) => command.test(candidate.command)),
  );
}

/**
 * Makes dumps of the seeded database stand still in the middle: `shop.attachments` is copied up to a value that lies in
 * its TOAST table, whose index is locked. The server, the container and the network stay as quick as ever.
 */
export async function stallDumps(host: Host, database?: string): Promise<Mend> {
  const toast = await host.psql(
    "SELECT reltoastrelid::regclass FROM pg_class WHERE oid = 'shop.attachments'::regclass;",
    database,
  );
  return session(host, `BEGIN; REINDEX TABLE ${toast};`, database);
}

/** Waits until a dump stands still, after megabytes of it went out. */
export async function dumpStalled(host: Host): Promise<void> {
  await until(
    'a dump that waits within shop.attachments',
    async () => (await host.psql(`SELECT pid ${stalledDumps}`)) || undefined,
  );
}

const stalledDumps =
  "FROM pg_stat_activity WHERE query LIKE 'COPY shop.attachments%' AND wait_event_type = 'Lock' AND pid <> pg_backend_pid();";

/** Locks a table as ALTER TABLE does: whoever wants to dump it waits. */
export async function lockTable(host: Host, schema: string, table: string, database?: string): Promise<Mend> {
  const name = `${identifier(schema)}.${identifier(table)}`;
  return session(host, `BEGIN; LOCK TABLE ${name} IN ACCESS EXCLUSIVE MODE;`, database);
}

/** Has a session empty a temporary table of its own, in a transaction that stays open: it is locked as long as that. */
export async function lockTemporaryTable(host: Host, table: string, database?: string): Promise<Mend> {
  return session(
    host,
    `CREATE TEMP TABLE ${identifier(table)} (n int); BEGIN; TRUNCATE ${identifier(table)};`,
    database,
  );
}

/** Holds a lock of a backup folder as another run does, and says who holds it. */
export async function holdLock(host: Host, backupDir: string, holder: string, lock = '.lock'): Promise<Mend> {
  const path = join(host.deployDir, backupDir);
  const script =
    'umask 077; mkdir -p "$1"; exec 9>>"$1/$3"; flock 9; printf "%s\\n" "$2" >"$1/$3.holder"; echo held; exec cat 9>&9';
  return held(start(as(host.account, ['bash', '-c', script, 'bash', path, holder, lock]), host.env), '');
}

/** Leaves the text of a run that died, whose lock the kernel has freed. */
export async function leaveHolder(host: Host, backupDir: string, holder: string): Promise<void> {
  const release = await holdLock(host, backupDir, holder);
  await release();
}

type Holder = ChildProcessByStdio<Writable, Readable, null>;

function start(command: readonly string[], env: NodeJS.ProcessEnv): Holder {
  const [program = '', ...programArguments] = command;
  return spawn(program, programArguments, { env, stdio: ['pipe', 'pipe', 'inherit'] });
}

/** A session of the database that keeps its locks until they are released. */
async function session(host: Host, statements: string, database?: string): Promise<Mend> {
  return held(start(await host.database.psqlCommand(database), host.env), `${statements} SELECT 'held';\n`);
}

/** A program holds something from the moment it says so until its input ends. */
async function held(holder: Holder, opening: string): Promise<Mend> {
  const ended = once(holder, 'exit');
  holder.stdin.write(opening);
  const [answer] = await Promise.race([once(holder.stdout, 'data'), ended]);
  if (!String(answer).includes('held')) throw new Error(`What a test wanted to hold was not to be had: ${answer}`);
  return async () => {
    holder.stdin.end();
    await ended;
  };
}

function onlyOnce(work: () => Promise<void>): Mend {
  let done: Promise<void> | undefined;
  return () => {
    done ??= work();
    return done;
  };
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // It has ended by itself.
    }
  }
}
