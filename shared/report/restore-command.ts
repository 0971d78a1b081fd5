import { nameWith } from '../postgres/database-name.ts';
import { identifier } from '../postgres/relation-name.ts';
import type { Manifest, ManifestSummary } from '../sets/manifest.ts';
import { parseSetFileName, setFileNames } from '../sets/naming.ts';
import { quoteForShell } from '../shell-quote.ts';
import { type DatabaseContainer, inContainer, reachesByItself } from './in-container.ts';
import { command, indented, pipeline, type Stage, strictly } from './pasted-block.ts';

/** Where the set is, and where the database runs. */
export interface RestorePlace extends DatabaseContainer {
  /** Absolute, on the host: the folder that holds the files of the set. */
  folder: string;
  /** The database user that restores: the POSTGRES_USER of the container. */
  user: string;
  /** Where zstd is installed. gzip is always on the host. */
  zstdOn: 'host' | 'container';
}

/** Blocks to paste into bash, one at a time: on the host, unless `where` says otherwise. Long commands continue after `\`; no value is ever cut. */
export interface RestoreCommands {
  /** Of an encrypted set: on which machine the blocks work, and what must be there. null: on the host. */
  where: string | null;
  /** The database that `restore` creates. */
  database: string;
  /** For a new server, before anything else: creates the roles, without passwords. Errors about existing ones are normal. */
  roles: string;
  /** Checks the files and restores them into a database of their own. Stops at the first error; prints a line when done. */
  restore: string;
  /**
   * Replaces the old database, which is kept under another name, by the restored one. No session may be open. null: `restore`
   * has done that itself, since the database can be nowhere else.
   */
  swap: string | null;
  /** Where `restore` replaces the old database: brings it back. Nothing is dropped. null elsewhere. */
  back: string | null;
}

/** The commands that restore a set, whatever the names of its database, user and folders. */
export function restoreCommands(manifest: Manifest, place: RestorePlace): RestoreCommands {
  const prefix = parseSetFileName(manifest.file)?.prefix ?? 'backup';
  const files = setFileNames(prefix, manifest.id, manifest);
  const psql = ['psql', '-X', '--quiet', `--username=${place.user}`, `--dbname=${maintenanceOf(manifest)}`];
  const isSealed = manifest.encryption === 'age';
  const cd = isSealed ? [] : [command(['cd', place.folder])];
  const where = isSealed ? whereKeyIs(place) : null;
  const unpacked = (file: string): Stage[] =>
    isSealed
      ? [
          ['age', '--decrypt', '--identity', 'key.txt', file],
          ['gzip', '-dc'],
        ]
      : [['zcat', file]];
  const roles = pipeline(...unpacked(files.globals), fed(place, psql));
  // A dump does not include what ALTER DATABASE … SET has set.
  const settings = pipeline(...unpacked(files.settings), fed(place, psql));
  const sql = (statements: string) => alone(place, [...psql, `--command=${statements}`]);
  const check = command(['sha256sum', '--check', files.sha256]);
  const dump = readDump(manifest, files.dump, place);
  const into = (name: string, ...before: string[]) => pipeline(...dump, restoreInto(manifest, place, name, before));
  const done = (what: string) => command(['echo', what]);
  const rolesBlock = reachesByItself(place)
    ? [...cd, roles].join(' &&\n')
    : `(\n${[...cd, ...opening(place), roles].map(indented).join('\n')}\n)`;

  const restored = nameWith(manifest.database, '_restored');
  if (livesInOneDatabase(manifest)) {
    const { database } = manifest;
    const [old, failed] = [nameWith(database, '_replaced'), nameWith(database, '_failed')];
    const count = (name: string) => `count(*) FILTER (WHERE datname = ${literal(name)})`;
    const names = `SELECT ${count(database)}, ${count(old)} FROM pg_database`;
    return {
      where,
      database,
      roles: rolesBlock,
      restore: strictly([
        ...cd,
        ...opening(place),
        check,
        `found=$(${alone(place, [...psql, '-A', '-t', `--command=${names}`])})`,
        `[[ $found = *'|0' ]] || { ${aside(`Nothing was changed. First drop or rename ${old}: an earlier restore left it`)}; exit 1; }`,
        // On a new server there may be none to put aside.
        `[[ $found = 1* ]] || ${alone(place, createDatabase(manifest, place, database))}`,
        // All that can fail does so before the old database is touched.
        alone(place, createDatabase(manifest, place, restored)),
        // The jobs begin as soon as they are restored: until all is there, they can change nothing.
        sql(`ALTER DATABASE ${identifier(restored)} SET default_transaction_read_only = on`),
        ...exchanged(database, old, restored, sql),
        ...untilDone(
          `${database} is not complete, and read-only. The old database is ${old}: to bring it back, paste step 3 of the report`,
        ),
        into(database, 'env', 'PGOPTIONS=-c default_transaction_read_only=off'),
        sql(`ALTER DATABASE ${identifier(database)} RESET default_transaction_read_only`),
        settings,
        'trap - EXIT',
        done(`Restored into ${database}; the old database is ${old}`),
      ]),
      swap: null,
      back: strictly([
        ...opening(place),
        ...exchanged(database, failed, old, sql),
        done(`${database} is the old database again; the other one is ${failed}`),
      ]),
    };
  }
  return {
    where,
    database: restored,
    roles: rolesBlock,
    restore: strictly([
      ...cd,
      ...opening(place),
      check,
      alone(place, createDatabase(manifest, place, restored)),
      into(restored),
      done(`Restored into ${restored}`),
    ]),
    swap: strictly([
      ...cd,
      ...opening(place),
      sql(swapNames(manifest.database, nameWith(manifest.database, '_replaced'), restored)),
      settings,
    ]),
    back: null,
  };
}

/** The host has only the public key, so the ciphertext goes to the private one, and what it holds comes back through docker. */
const whereKeyIs = ({ folder }: RestorePlace): string =>
  `The private key must not go to the host. So run this in bash on the machine that has the key, with age, zstd and docker: copy the files of this backup from ${folder} into a folder there (scp), put the key next to them as key.txt, and cd into it. Point docker at the host: export DOCKER_HOST=ssh://USER@HOST`;

/** The database in which other databases are created and renamed. */
const maintenanceOf = ({ database }: ManifestSummary) => (database === 'postgres' ? 'template1' : 'postgres');

/**
 * Whether the server takes an extension of the database in no database of another name: pg_cron can be created only in the one
 * that cron.database_name names.
 */
function livesInOneDatabase({ extensions }: Manifest): boolean {
  return extensions.some(({ name }) => name === 'pg_cron');
}

/**
 * Ends all sessions of the database and exchanges it for another one, which is there for sure: all of it or nothing. Tries it
 * three times, since pg_cron's own session comes back after a second. No session is ended where the names do not allow it.
 */
function exchanged(database: string, old: string, next: string, run: (statements: string) => string): string[] {
  const end = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = ${literal(database)}`;
  const fits = (name: string) => `(SELECT FROM pg_database WHERE datname = ${literal(name)})`;
  const statements = `${end} AND EXISTS ${fits(next)} AND NOT EXISTS ${fits(old)}; ${swapNames(database, old, next)}`;
  return [
    `exchange() {\n${indented(run(statements))}\n}`,
    'exchange || { sleep 1; exchange; } || { sleep 2; exchange; }',
  ];
}

/** What is said if the block ends before `trap - EXIT`. */
function untilDone(words: string): string[] {
  return [`incomplete() { ${aside(words)}; }`, 'trap incomplete EXIT'];
}

const aside = (words: string): string => `echo ${quoteForShell(words)} >&2`;

/**
 * A value for `--dbname` that means exactly this database, whatever its name: PostgreSQL's programs take a name that
 * looks like a connection string for one.
 */
export function databaseArgument(name: string): string {
  if (!name.includes('=') && !/^postgres(ql)?:\/\//.test(name)) return name;
  return `dbname='${name.replace(/[\\']/g, '\\$&')}'`;
}

/** Gives the lines after it a short name for what leads into the container, where that is long. */
function opening(place: RestorePlace): string[] {
  if (reachesByItself(place)) return [];
  return [`db() { ${command(inContainer(place, '-i'))} "$@"; }`];
}

/** A command that reads what a pipe gives it. */
function fed(place: RestorePlace, words: Stage): Stage {
  return [...(reachesByItself(place) ? inContainer(place, '-i') : ['db']), ...words];
}

/** A command that reads nothing: `-i` would swallow whatever the operator pasted after it. */
function alone(place: RestorePlace, words: Stage): string {
  return reachesByItself(place)
    ? command([...inContainer(place), ...words])
    : `${command(['db', ...words])} </dev/null`;
}

/** template0: other templates may already contain something, or have another encoding. */
function createDatabase(manifest: ManifestSummary, place: RestorePlace, name: string): string[] {
  // By itself it connects to the database postgres, which an earlier try may have left half restored.
  const maintenance = maintenanceOf(manifest) === 'postgres' ? [] : [`--maintenance-db=${maintenanceOf(manifest)}`];
  const options = [`--username=${place.user}`, ...maintenance, '--template=template0', ...createOptions(manifest)];
  return ['createdb', ...options, '--', name];
}

/** How a database was made: of a manifest, or as a probe has found it. */
export type MadeAs = Pick<
  ManifestSummary,
  'encoding' | 'locale' | 'ctype' | 'localeProvider' | 'providerLocale' | 'icuRules' | 'serverVersion'
>;

/** Options of createdb for a database like that. */
export function createOptions(manifest: MadeAs): string[] {
  return [`--encoding=${manifest.encoding}`, ...localeOptions(manifest)];
}

/** Collation and character types as in the source; otherwise indexes and comparisons would differ. */
function localeOptions(manifest: MadeAs): string[] {
  const { locale, ctype, localeProvider, providerLocale, icuRules, serverVersion } = manifest;
  const libc =
    ctype === null || ctype === locale ? [`--locale=${locale}`] : [`--lc-collate=${locale}`, `--lc-ctype=${ctype}`];
  if (localeProvider === null || localeProvider === 'libc' || providerLocale === null) {
    // Without this option template0's provider is used, which on another server may be ICU. Older versions do not have it.
    return localeProvider === 'libc' && Number.parseInt(serverVersion, 10) >= 15
      ? ['--locale-provider=libc', ...libc]
      : libc;
  }
  // createdb has this option from version 16 on, and so do databases.
  const rules = localeProvider === 'icu' && icuRules !== null ? [`--icu-rules=${icuRules}`] : [];
  return [`--locale-provider=${localeProvider}`, `--${localeProvider}-locale=${providerLocale}`, ...rules, ...libc];
}

/** The pipeline stages that produce the plain archive or SQL; the first one reads the file. */
function readDump({ encryption, format, compression }: ManifestSummary, file: string, place: RestorePlace): Stage[] {
  const program = { zstd: 'zstd', gzip: format === 'custom' ? null : 'gzip', none: null }[compression];
  const decompress = program === null ? [] : [program, '-dc'];
  const isInside = program === 'zstd' && place.zstdOn === 'container';
  // In the container it is a stage of its own, so that the host's pipefail sees its exit code.
  const decompression = isInside ? ['docker', 'exec', '-i', place.container, ...decompress] : decompress;
  if (encryption === 'age') {
    const decryption = ['age', '--decrypt', '--identity', 'key.txt', file];
    return program === null ? [decryption] : [decryption, decompression];
  }
  if (program === null) return [['cat', file]];
  return isInside ? [['cat', file], decompression] : [[...decompression, file]];
}

/** psql cannot tell truncated input from complete input, so the checksum before it and pipefail matter. */
function restoreInto({ format }: ManifestSummary, place: RestorePlace, name: string, before: string[]): Stage {
  const into = [`--username=${place.user}`, `--dbname=${databaseArgument(name)}`];
  if (format === 'custom') return fed(place, [...before, 'pg_restore', '--exit-on-error', ...into]);
  // Not as a single transaction: the dump has transactions of its own, around large objects.
  const strict = ['-X', '--quiet', '--output=/dev/null', '-v', 'ON_ERROR_STOP=1'];
  return fed(place, [...before, 'psql', ...strict, ...into]);
}

/** One command string is one transaction: both names change, or neither. */
function swapNames(database: string, old: string, next: string): string {
  const rename = (from: string, to: string) => `ALTER DATABASE ${identifier(from)} RENAME TO ${identifier(to)}`;
  return `${rename(database, old)}; ${rename(next, database)}`;
}

/** For a server with any value of standard_conforming_strings. */
export function literal(value: string): string {
  const doubled = value.replaceAll("'", "''");
  return value.includes('\\') ? `E'${doubled.replaceAll('\\', '\\\\')}'` : `'${doubled}'`;
}
