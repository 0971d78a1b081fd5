import assert from 'node:assert/strict';
import { test } from 'node:test';
import { databaseArgument, type RestorePlace, restoreCommands } from '../../shared/report/restore-command.ts';
import type { Manifest } from '../../shared/sets/manifest.ts';
import { exampleManifest } from './retention/host-folder.ts';

const id = '20261123_021700';
const access = { place: null, password: null };
const place: RestorePlace = {
  folder: '/opt/app/backups/daily',
  container: 'app-db-1',
  access,
  user: 'app',
  zstdOn: 'host',
};

const commands = (changes: Partial<Manifest> = {}, where: Partial<RestorePlace> = {}) =>
  restoreCommands(exampleManifest(id, changes), { ...place, ...where });

/** The lines between the creation of the database and the last one. */
function pipeOf(restore: string): string {
  const lines = restore.split('\n');
  return lines
    .slice(lines.findIndex((line) => line.includes(' -- ')) + 1, -2)
    .map((line) => line.slice(2))
    .join('\n');
}

test('the blocks read as an operator pastes them', () => {
  assert.deepEqual(commands(), {
    where: null,
    database: 'app_restored',
    roles: `cd /opt/app/backups/daily &&
zcat backup_${id}.globals.sql.gz |
  docker exec -i app-db-1 psql -X --quiet --username=app --dbname=postgres`,
    restore: `( set -e -o pipefail
  cd /opt/app/backups/daily
  sha256sum --check backup_${id}.sha256
  docker exec app-db-1 createdb --username=app --template=template0 --encoding=UTF8 \\
      --locale-provider=libc --locale=en_US.utf8 -- app_restored
  zstd -dc backup_${id}.dump.zst |
    docker exec -i app-db-1 pg_restore --exit-on-error --username=app --dbname=app_restored
  echo 'Restored into app_restored'
)`,
    swap: `( set -e -o pipefail
  cd /opt/app/backups/daily
  docker exec app-db-1 psql -X --quiet --username=app --dbname=postgres \\
      --command='ALTER DATABASE "app" RENAME TO "app_replaced"; ALTER DATABASE "app_restored" RENAME TO "app"'
  zcat backup_${id}.settings.sql.gz |
    docker exec -i app-db-1 psql -X --quiet --username=app --dbname=postgres
)`,
    back: null,
  });
});

// Not one transaction: a dump with large objects brings transactions of its own.
const psql = `docker exec -i app-db-1 psql -X --quiet --output=/dev/null -v ON_ERROR_STOP=1 --username=app \\
      --dbname=app_restored`;
const pgRestore = 'docker exec -i app-db-1 pg_restore --exit-on-error --username=app --dbname=app_restored';
const pipes: [Partial<Manifest>, Partial<RestorePlace>, string][] = [
  [{ compression: 'gzip' }, {}, `cat backup_${id}.dump |\n  ${pgRestore}`],
  [{}, { zstdOn: 'container' }, `cat backup_${id}.dump.zst |\n  docker exec -i app-db-1 zstd -dc |\n  ${pgRestore}`],
  [{ format: 'plain', compression: 'gzip' }, {}, `gzip -dc backup_${id}.sql.gz |\n  ${psql}`],
  [{ format: 'plain', compression: 'zstd' }, {}, `zstd -dc backup_${id}.sql.zst |\n  ${psql}`],
  [{ format: 'plain', compression: 'none' }, {}, `cat backup_${id}.sql |\n  ${psql}`],
  [
    { encryption: 'age' },
    {},
    `age --decrypt --identity key.txt backup_${id}.dump.zst.age |\n  zstd -dc |\n  ${pgRestore}`,
  ],
  [
    { encryption: 'age', compression: 'gzip' },
    {},
    `age --decrypt --identity key.txt backup_${id}.dump.age |\n  ${pgRestore}`,
  ],
];
for (const [changes, where, expected] of pipes) {
  test(`the pipe of ${JSON.stringify({ ...changes, ...where })}`, () => {
    assert.equal(
      pipeOf(commands(changes, where).restore).replaceAll(/ \\\n +/g, ' '),
      expected.replaceAll(/ \\\n +/g, ' '),
    );
  });
}

test('an encrypted set is decrypted on the machine with the key, not in a folder of the host', () => {
  const { where, roles, restore, swap } = commands({ encryption: 'age' });
  assert.match(where ?? '', /private key must not go to the host.*scp.*key\.txt.*DOCKER_HOST=ssh:/);
  assert.doesNotMatch([roles, restore, swap].join('\n'), /\bcd /);
});

const locales: [Partial<Manifest>, string][] = [
  [{ locale: 'C', ctype: 'de_DE.utf8' }, '--locale-provider=libc --lc-collate=C --lc-ctype=de_DE.utf8 --'],
  [{ serverVersion: '14.19' }, '--locale=en_US.utf8 --'],
  [{ ctype: null, localeProvider: null }, '--locale=en_US.utf8 --'],
  [
    { localeProvider: 'icu', providerLocale: 'de-DE-u-ks-level2' },
    '--locale-provider=icu --icu-locale=de-DE-u-ks-level2 --locale=en_US.utf8 --',
  ],
  [
    { localeProvider: 'icu', providerLocale: 'en', icuRules: '&V << w <<< W', serverVersion: '17.2' },
    "--locale-provider=icu --icu-locale=en --icu-rules='&V << w <<< W' --locale=en_US.utf8 --",
  ],
  [{ icuRules: '&a < b' }, '--locale-provider=libc --locale=en_US.utf8 --'],
  [
    { locale: 'C', ctype: 'C', localeProvider: 'builtin', providerLocale: 'C.UTF-8' },
    '--locale-provider=builtin --builtin-locale=C.UTF-8 --locale=C --',
  ],
];
for (const [changes, expected] of locales) {
  test(`the new database of ${JSON.stringify(changes)}`, () => {
    const { restore } = commands(changes);
    assert.ok(restore.replaceAll(/ \\\n +/g, ' ').includes(`--encoding=UTF8 ${expected}`), restore);
  });
}

const ways: [what: string, access: RestorePlace['access'], opening: string][] = [
  [
    'a server that listens elsewhere',
    { place: { host: '/sockets here', port: '5433', insteadOf: [] }, password: null },
    'db() { docker exec -i --env \'PGHOST=/sockets here\' --env PGPORT=5433 app-db-1 "$@"; }',
  ],
  [
    'a socket that wants a password',
    { place: null, password: 'POSTGRES_PASSWORD' },
    `db() { docker exec -i app-db-1 sh -c 'export PGPASSWORD="$POSTGRES_PASSWORD"; exec "$@"' sh "$@"; }`,
  ],
  [
    'both, and a secret in a file',
    {
      place: { host: '127.0.0.1', port: '5434', insteadOf: ['PGHOSTADDR', 'PGSERVICE'] },
      password: 'POSTGRES_PASSWORD_FILE',
    },
    'db() { docker exec -i --env PGHOST=127.0.0.1 --env PGPORT=5434 app-db-1 env -u PGHOSTADDR -u PGSERVICE sh -c ' +
      `'export PGPASSWORD="$(cat "$POSTGRES_PASSWORD_FILE")"; exec "$@"' sh "$@"; }`,
  ],
];
for (const [what, way, opening] of ways) {
  test(`every command reaches ${what}`, () => {
    const { roles, restore, swap } = commands({}, { access: way });
    for (const block of [roles, restore, `${swap}`]) {
      const flat = block.replaceAll(/ \\\n +/g, ' ').split('\n');
      assert.ok(flat.includes(`  ${opening}`), block);
      for (const line of flat.filter((each) => /(psql|pg_restore|createdb) /.test(each))) assert.match(line, /^ +db /);
      // What is typed after the block is not read by it.
      for (const line of flat.filter((each) => /^ {2}db [a-z]/.test(each))) assert.match(line, / <\/dev\/null$/);
    }
  });
}

const cron: Partial<Manifest> = { extensions: [{ name: 'pg_cron', version: '1.6' }] };

test('a database with pg_cron is restored under its own name, and its jobs wait until it is complete', () => {
  const { database, restore, swap, back } = commands(cron);
  assert.equal(database, 'app');
  assert.equal(swap, null);
  const psql = (name: string) => `docker exec app-db-1 psql -X --quiet --username=app --dbname=${name}`;
  const create = `docker exec app-db-1 createdb --username=app --template=template0 --encoding=UTF8 \\
      --locale-provider=libc --locale=en_US.utf8 --`;
  const exchange = (old: string, next: string) => `  exchange() {
    ${psql('postgres')} \\
        --command='SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '\\''app'\\'' AND EXISTS (SELECT FROM pg_database WHERE datname = '\\''${next}'\\'') AND NOT EXISTS (SELECT FROM pg_database WHERE datname = '\\''${old}'\\''); ALTER DATABASE "app" RENAME TO "${old}"; ALTER DATABASE "${next}" RENAME TO "app"'
  }
  exchange || { sleep 1; exchange; } || { sleep 2; exchange; }`;
  assert.equal(
    restore,
    `( set -e -o pipefail
  cd /opt/app/backups/daily
  sha256sum --check backup_${id}.sha256
  found=$(${psql('postgres')} -A -t \\
      --command='SELECT count(*) FILTER (WHERE datname = '\\''app'\\''), count(*) FILTER (WHERE datname = '\\''app_replaced'\\'') FROM pg_database')
  [[ $found = *'|0' ]] || { echo 'Nothing was changed. First drop or rename app_replaced: an earlier restore left it' >&2; exit 1; }
  [[ $found = 1* ]] || ${create} app
  ${create} app_restored
  ${psql('postgres')} \\
      --command='ALTER DATABASE "app_restored" SET default_transaction_read_only = on'
${exchange('app_replaced', 'app_restored')}
  incomplete() { echo 'app is not complete, and read-only. The old database is app_replaced: to bring it back, paste step 3 of the report' >&2; }
  trap incomplete EXIT
  zstd -dc backup_${id}.dump.zst |
    docker exec -i app-db-1 env 'PGOPTIONS=-c default_transaction_read_only=off' pg_restore \\
        --exit-on-error --username=app --dbname=app
  ${psql('postgres')} \\
      --command='ALTER DATABASE "app" RESET default_transaction_read_only'
  zcat backup_${id}.settings.sql.gz |
    docker exec -i app-db-1 psql -X --quiet --username=app --dbname=postgres
  trap - EXIT
  echo 'Restored into app; the old database is app_replaced'
)`,
  );
  assert.equal(
    back,
    `( set -e -o pipefail
${exchange('app_failed', 'app_replaced')}
  echo 'app is the old database again; the other one is app_failed'
)`,
  );
});

test('nothing that replaces the database postgres connects to it', () => {
  const { restore, back } = commands({ ...cron, database: 'postgres' });
  assert.doesNotMatch(`${restore}${back}`.replace(/--exit-on-error .*/, ''), /--dbname=postgres/);
  assert.equal(restore.match(/createdb --username=app --maintenance-db=template1/g)?.length, 2);
});

test('a name with a backslash is the same whatever standard_conforming_strings is', () => {
  const { restore } = commands({ ...cron, database: 'a\\b' });
  assert.ok(restore.includes(`datname = E'\\''a\\\\b'\\''`), restore);
});

test('a set from before a rollback is restored under its own name', () => {
  assert.match(commands({ file: `prerollback_${id}.dump.zst` }).restore, new RegExp(`check prerollback_${id}.sha256`));
});

// Tried against PostgreSQL 15: these reach exactly the database of that name.
const names: [name: string, argument: string][] = [
  ['app', 'app'],
  ['-x', '-x'],
  ['host=x dbname=y', "dbname='host=x dbname=y'"],
  ["a'b\\c=d", "dbname='a\\'b\\\\c=d'"],
  ['postgresql://h/db', "dbname='postgresql://h/db'"],
  ['postgres://h/db', "dbname='postgres://h/db'"],
  ['postgresish', 'postgresish'],
  ["it's", "it's"],
];
for (const [name, argument] of names) {
  test(`the database ${name} is meant literally`, () => assert.equal(databaseArgument(name), argument));
}

test('names of every kind are quoted for the shell, for SQL and for libpq, each by its own rules', () => {
  const { restore, swap } = commands({ database: `o'"=$(id)` });
  assert.match(restore, / -- 'o'\\''"=\$\(id\)_restored'\n/);
  assert.ok(restore.includes(`--dbname='dbname='\\''o\\'\\''"=$(id)_restored'\\'''`), restore);
  assert.ok(swap?.includes(`ALTER DATABASE "o'\\''""=$(id)" RENAME TO "o'\\''""=$(id)_replaced"`), `${swap}`);
});

test('a new name never grows beyond what PostgreSQL keeps of it', () => {
  const long = 'ü'.repeat(31);
  const { database } = commands({ database: long });
  assert.equal(database, `${'ü'.repeat(27)}_restored`);
  assert.equal(commands({ database: 'x'.repeat(63) }).database, `${'x'.repeat(54)}_restored`);
});

test('the database postgres cannot be renamed from within itself', () => {
  assert.match(`${commands({ database: 'postgres' }).swap}`, /--dbname=template1/);
});

test('a database called like an option, with line breaks and orders to the runner, stays one word', () => {
  const { roles, restore, swap } = commands({ database: '-x\n::set-output name=a::b\r##[group]\u202e' });
  for (const block of [roles, restore, `${swap}`]) {
    assert.doesNotMatch(block, /::|##\[|\r|\u202e/);
  }
});
