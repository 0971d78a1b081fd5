// A database that is reached in another way than by the usual socket without a password: a backup finds it, a drill restores
// it, and what is printed works where it is pasted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identifier } from '../lab/database.ts';
import type { Host } from '../lab/host.ts';
import { succeeded } from './expectations.ts';
import { blockOf, paste } from './printed.ts';
import { backup, type Inputs, manifestOf, read } from './sets.ts';
import { labForFile, startHostForFile } from './stage.ts';
import { findingOf, verify } from './verifications.ts';

const lab = await labForFile();
const secret = 'a $pecial "pass" word';

interface Shape {
  /** What `docker exec` finds in the container. */
  environment: Record<string, string>;
  /** What the image's entry point is told, as other images have their own names for it. */
  given: { user: string; database: string };
  settings?: readonly string[];
  /** The files of secrets, by path. */
  files?: Record<string, string>;
}

/** A host whose database is set up in its own way; only the entry point knows the names of the official image. */
async function hostWith(name: string, { environment, given, settings = [], files = {} }: Shape): Promise<Host> {
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  const script = [
    'unset PGHOST PGPORT',
    ...Object.keys(environment).map((variable) => `unset ${variable}`),
    ...Object.entries(files).map(([path, text]) => `mkdir -p "$(dirname ${path})"; echo ${quoted(text)} >${path}`),
    'mkdir -p /run/sockets; chmod 777 /run/sockets',
    `export POSTGRES_USER=${given.user} POSTGRES_DB=${given.database} PGPASSWORD=${quoted(secret)}`,
    'export POSTGRES_PASSWORD="$PGPASSWORD" POSTGRES_INITDB_ARGS="--no-sync --auth-local=scram-sha-256"',
    'exec docker-entrypoint.sh postgres "$@"',
  ].join('\n');
  const command = ['fsync=off', 'listen_addresses=*', ...settings].flatMap((setting) => ['-c', setting]);
  const db = {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the variable is compose's
    image: '${POSTGRES_IMAGE}',
    init: true,
    entrypoint: ['sh', '-c', script, 'sh'].map((word) => word.replaceAll('$', '$$$$')),
    command,
    environment: Object.fromEntries(
      Object.entries(environment).map(([key, value]) => [key, value.replaceAll('$', '$$$$')]),
    ),
    stop_grace_period: '3s',
    healthcheck: {
      // The server that the entry point starts at first listens to no address.
      test: ['CMD-SHELL', 'sed -n 6p "$$PGDATA/postmaster.pid" | grep -q . && grep -q ready "$$PGDATA/postmaster.pid"'],
      interval: '1s',
      retries: 60,
    },
  };
  const compose = JSON.stringify({ services: { db } });
  return startHostForFile(lab, { name, seed: false, project: () => ({ compose, settings: {} }) });
}

interface Reached {
  user: string;
  database: string;
  host?: string;
  port?: string;
}

/** SQL as one runs it who knows how the database is reached. */
async function ask(host: Host, { user, database, host: place, port = '5432' }: Reached, sql: string): Promise<string> {
  const variables = { PGUSER: user, PGDATABASE: database, PGPORT: port, PGPASSWORD: secret, PGHOST: place ?? '' };
  const env = Object.entries(variables).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
  const psql = ['env', '-u', 'PGHOSTADDR', '-u', 'PGSERVICE', 'psql', '-XAtq', '-c', sql];
  return (await host.docker('exec', ...env, await host.container('db'), ...psql)).trim();
}

/** A backup is taken, and all of its printed commands do what they say, with no secret in them. */
async function restores(host: Host, reached: Reached): Promise<{ dir: string; report: string }> {
  const { database } = reached;
  await ask(host, reached, 'CREATE TABLE notes AS SELECT n FROM generate_series(1, 7) n');
  const dir = host.newBackupDir();
  const result = await backup(host, dir);
  succeeded(result);
  assert.equal((await manifestOf(host, result))['database'], database);
  const report = await read(host, result.outputs['report-file'] ?? '');
  assert.equal(`${report}${result.stdout}${result.stderr}${result.summary}`.includes('pecial'), false);
  await ask(host, reached, 'DELETE FROM notes');
  for (const number of [1, 2, 3]) {
    const block = blockOf(report, number);
    const outcome = await paste(host, block);
    assert.equal(outcome.code, 0, `${block}\n${outcome.stderr}`);
  }
  assert.equal(await ask(host, reached, 'SELECT count(*) FROM notes'), '7');
  assert.equal(await ask(host, { ...reached, database: `${database}_replaced` }, 'SELECT count(*) FROM notes'), '0');
  return { dir, report: report.replaceAll(/ \\\n +/g, ' ') };
}

test('another port and folder, names and password in files, and variables that are meant for another server', async () => {
  const host = await hostWith('elsewhere', {
    environment: {
      POSTGRES_USER_FILE: '/run/secrets/user',
      POSTGRES_DB_FILE: '/run/secrets/database',
      POSTGRES_PASSWORD_FILE: '/run/secrets/password',
      PGHOST: '203.0.113.1',
      PGPORT: '1',
      PGHOSTADDR: '203.0.113.1',
      PGSERVICE: 'elsewhere',
    },
    given: { user: 'clerk', database: 'shop' },
    settings: ['port=5433', 'unix_socket_directories=/run/sockets'],
    files: { '/run/secrets/user': 'clerk', '/run/secrets/database': 'shop', '/run/secrets/password': secret },
  });
  const reached = { user: 'clerk', database: 'shop', host: '/run/sockets', port: '5433' };
  const { dir, report } = await restores(host, reached);
  assert.match(
    report,
    /db\(\) \{ docker exec -i --env PGHOST=\/run\/sockets --env PGPORT=5433 .*"\$POSTGRES_PASSWORD_FILE"/,
  );
  // The lab's own look at the host's sessions takes the usual way, which leads nowhere here.
  const result = await verify(host, dir, { checks: 'drill' });
  assert.equal(result.outputs['status'], 'verified', result.stdout);
});

test("a local socket that wants a password, and another image's names", async () => {
  const host = await hostWith('other-names', {
    environment: {
      POSTGRESQL_USERNAME: 'postgres',
      POSTGRESQL_DATABASE: 'shop',
      POSTGRESQL_POSTGRES_PASSWORD: secret,
      POSTGRESQL_PASSWORD: 'that of another',
    },
    given: { user: 'postgres', database: 'shop' },
  });
  const { report } = await restores(host, { user: 'postgres', database: 'shop' });
  assert.match(
    report,
    /db\(\) \{ docker exec -i [^ ]+ sh -c 'export PGPASSWORD="\$POSTGRESQL_POSTGRES_PASSWORD"; exec/,
  );
});

test('a server without a socket', async () => {
  const host = await hostWith('no-socket', {
    environment: { POSTGRES_USER: 'clerk', POSTGRES_DB: 'shop', POSTGRES_PASSWORD: secret },
    given: { user: 'clerk', database: 'shop' },
    settings: ['unix_socket_directories='],
  });
  const { report } = await restores(host, { user: 'clerk', database: 'shop', host: '127.0.0.1' });
  // The server trusts this address, so no password is needed.
  assert.match(report, /db\(\) \{ docker exec -i --env PGHOST=127\.0\.0\.1 --env PGPORT=5432 [^ ]+ "\$@"; \}/);
});

test('a server with more databases than are backed up, and with indexes that another library has sorted', async () => {
  const host = await startHostForFile(lab, { name: 'more' });
  const dir = host.newBackupDir();
  const name = "the 'sorted' one";
  await host.psql(
    `CREATE DATABASE ${identifier(name)} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en' LOCALE 'C.UTF-8'`,
    'postgres',
  );
  await host.psql(
    `CREATE COLLATION "my ""order""" (provider = icu, locale = 'de');
     CREATE TABLE names (a text, b text COLLATE "my ""order""");
     CREATE INDEX ON names (a); CREATE INDEX ON names (b)`,
    name,
  );
  await host.database.create('held');
  succeeded(await backup(host, dir, { 'db-name': 'held' }));
  const setup = (inputs: Inputs = {}) => verify(host, dir, { checks: 'setup', 'db-name': name, ...inputs });

  const others = findingOf(await setup(), 'other databases');
  assert.deepEqual([others.result, others.severity], ['failed', 'warning']);
  assert.match(others.detail, /no verified backup of 1 other database of this server: "atlasia"$/);
  // Nobody can back up a closed one; and the size of one that this role may not see is no reason to refuse a backup.
  await host.psql(
    `CREATE DATABASE closed ALLOW_CONNECTIONS false; REVOKE CONNECT ON DATABASE postgres FROM PUBLIC;
     CREATE ROLE plain LOGIN; GRANT CONNECT ON DATABASE ${identifier(name)} TO plain`,
    'postgres',
  );
  const seenByPlain = findingOf(await setup({ 'db-user': 'plain' }), 'other databases');
  assert.match(seenByPlain.detail, /no verified backup of 1 other database of this server: "atlasia"$/);
  assert.equal(findingOf(await setup(), 'collations').result, 'passed');
  await host.psql(
    'CREATE TABLE notes AS SELECT n, repeat(md5(n::text), 9) FROM generate_series(1, 9000) n',
    'postgres',
  );
  assert.match(
    findingOf(await setup(), 'other databases').detail,
    /2 other databases of this server: "atlasia", "postgres"$/,
  );

  await host.psql(
    `UPDATE pg_database SET datcollversion = '0' WHERE datname = current_database();
     UPDATE pg_collation SET collversion = '1' WHERE collname LIKE 'my%' OR collname LIKE 'fr-%'`,
    name,
  );
  // An index over ranges of text has no collation itself.
  await host.psql(
    `CREATE TYPE texts AS RANGE (subtype = text, collation = "fr-x-icu");
     CREATE TABLE spans (during texts); CREATE INDEX ON spans USING gist (during);
     -- What is equal stays equal in another order.
     CREATE TABLE split (a text) PARTITION BY RANGE (a); CREATE TABLE listed (a text) PARTITION BY LIST (a)`,
    name,
  );
  const split = findingOf(await setup(), 'collations');
  assert.match(split.detail, /pg_catalog\.fr-x-icu \(1, now .*\. Rows may be in the wrong partition of public\.split$/);
  assert.match(split.remedy ?? '', /Only then: ALTER DATABASE/);
  await host.psql('DROP TABLE split, listed, spans', name);
  const outdated = findingOf(await setup(), 'collations');
  assert.deepEqual([outdated.result, outdated.severity], ['failed', 'warning']);
  assert.match(outdated.detail, /the database's own \(0, now [\d.]+\), public\.my "order" \(1, now [\d.]+\)$/);
  const command = (outdated.remedy ?? '').replace(/^.*On the host, as \S+: /, '');
  const pasted = await paste(host, command);
  assert.equal(pasted.code, 0, `${command}\n${pasted.stderr}`);
  assert.equal(findingOf(await setup(), 'collations').result, 'passed');
});

test('what a schema holds of passwords is not in the report of its changes, nor in the summary', async () => {
  const host = await startHostForFile(lab, { name: 'mapping', seed: false });
  const dir = host.newBackupDir();
  await host.psql(`CREATE EXTENSION postgres_fdw; CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw;
    CREATE USER MAPPING FOR atlasia SERVER other OPTIONS ("user" 'clerk', password 'tell nobody')`);
  succeeded(await backup(host, dir));
  await host.psql("ALTER USER MAPPING FOR atlasia SERVER other OPTIONS (SET password 'nor this')");
  const result = await backup(host, dir);
  succeeded(result);
  const report = await read(host, result.outputs['report-file'] ?? '');
  assert.match(report, /changed {2}USER MAPPING[^\n]*\n[^\n]*- +password '\(hidden 1\)'/);
  assert.doesNotMatch(`${report}${result.summary}${result.stdout}${result.stderr}`, /tell nobody|nor this/);
});
