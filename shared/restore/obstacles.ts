import { Failure } from '../failure.ts';
import type { DatabaseFacts } from '../postgres/probe.ts';
import { identifier } from '../postgres/relation-name.ts';
import { createOptions, literal } from '../report/restore-command.ts';
import type { Manifest } from '../sets/manifest.ts';
import { formatBytes, listed } from '../units.ts';
import type { Standing } from './standing.ts';

/** What is restored where. */
export interface RestoreCase {
  manifest: Manifest;
  live: DatabaseFacts;
  standing: Standing;
  /** Bytes that the restore needs on the disk of the database; those that must stay free there, and on the disk of the log. */
  needed: number;
  least: number;
}

const some = (names: readonly string[]) => listed(names, 5);
const byHand = 'Restore it by hand: docs/restore.md';

/** Everything that stands in the way, each with what to do about it. Nothing has been changed yet. */
export function restoreObstacles({ manifest, live, standing, needed, least }: RestoreCase): string[] {
  const { prepared, slots, subscriptions, freeBytes, walFreeBytes, otherFreeBytes } = standing;
  const major = (version: string) => Number.parseInt(version, 10);
  const extensions = manifest.extensions.map(({ name }) => name);
  const lacking = extensions.filter((extension) => !standing.extensions.includes(extension));
  const obstacles: [isThere: boolean, text: string][] = [
    [
      !standing.isSuperuser,
      `"${live.user}" is not a superuser, so it cannot restore owners, grants and extensions. Set "db-user" to one`,
    ],
    [
      /[\t\r\n]/.test(live.database + live.user),
      `the name of the database or of the user has a tab or a line break, which a transaction cannot note. ${byHand}`,
    ],
    [
      live.database === 'template1',
      'template1 is the template of all new databases, and cannot be exchanged for another. Set "db-name"',
    ],
    [
      standing.isStandby,
      'the server is a standby, which only follows its primary. Restore on the primary: set "host", or "db-service"',
    ],
    [
      major(manifest.serverVersion) > major(live.serverVersion),
      `the backup is of PostgreSQL ${manifest.serverVersion}, and the server is older: ${live.serverVersion}. Give the database's service an image of version ${major(manifest.serverVersion)} or newer`,
    ],
    [
      extensions.includes('pg_cron') && standing.cronDatabase !== null,
      `pg_cron can live in only one database ("${standing.cronDatabase}"), so there cannot be a second one next to it. ${byHand}`,
    ],
    [
      extensions.includes('timescaledb'),
      `TimescaleDB needs more than pg_restore for a restore. Restore it by hand, as its documentation says`,
    ],
    [
      lacking.length > 0,
      `the server's image has no ${some(lacking)}, which the backup needs. Give the database's service the image of the source`,
    ],
    [
      prepared.length > 0,
      `a prepared transaction holds the database: ${some(prepared)}. End it: COMMIT PREPARED or ROLLBACK PREPARED; see pg_prepared_xacts`,
    ],
    [
      slots.length > 0,
      `replication slots belong to the database and would stay with the old one: ${some(slots)}. Drop them (pg_drop_replication_slot), and let their readers start again afterwards`,
    ],
    [
      (subscriptions?.length ?? 0) > 0,
      `subscriptions belong to the database and would go on in the old one: ${some(subscriptions ?? [])}. Drop them, and create them again afterwards`,
    ],
    [freeBytes === null, "the free space on the disk of the server's data is unknown"],
    [
      freeBytes !== null && freeBytes < needed + least,
      `the disk of the server's data has ${formatBytes(freeBytes ?? 0)} free, and a second copy needs ${formatBytes(needed)} besides the ${formatBytes(least)} that must stay free ("min-free-space"). Make room`,
    ],
    [walFreeBytes === null, "the free space on the disk of the server's write-ahead log (pg_wal) is unknown"],
    [
      walFreeBytes !== null && walFreeBytes < least,
      `the disk of the server's write-ahead log (pg_wal) has ${formatBytes(walFreeBytes ?? 0)} free, less than the ${formatBytes(least)} that must stay free ("min-free-space"), and a restore writes there as well. Make room`,
    ],
    // Of other formats, all comes to lie in the tablespace of the database.
    [
      manifest.format === 'plain' && otherFreeBytes === null,
      "it cannot be told how much space is free in the server's other tablespaces, and a backup in SQL text restores into those that it names",
    ],
    [
      manifest.format === 'plain' && otherFreeBytes !== null && otherFreeBytes < least,
      `another tablespace of the server has ${formatBytes(otherFreeBytes ?? 0)} free, less than the ${formatBytes(least)} that must stay free ("min-free-space"), and a backup in SQL text restores into those that it names. Make room`,
    ],
  ];
  return obstacles.filter(([isThere]) => isThere).map(([, text]) => text);
}

/** @throws Failure `cannot-restore` that lists all obstacles */
export function demandNoObstacle(subject: RestoreCase): void {
  const found = restoreObstacles(subject);
  if (found.length === 0) return;
  throw new Failure('cannot-restore', `${subject.manifest.id} cannot be restored here: ${found[0]}`, {
    hint: ['Nothing was changed.', ...found.slice(1).map((text) => `Also, ${text}`)].join('\n'),
  });
}

/** What stands for an option of createdb, which cannot make a database that nobody may enter. */
const clauses: Readonly<Record<string, (value: string) => string>> = {
  encoding: (value) => `ENCODING ${literal(value)}`,
  locale: (value) => `LC_COLLATE ${literal(value)} LC_CTYPE ${literal(value)}`,
  'lc-collate': (value) => `LC_COLLATE ${literal(value)}`,
  'lc-ctype': (value) => `LC_CTYPE ${literal(value)}`,
  'locale-provider': (value) => `LOCALE_PROVIDER ${identifier(value)}`,
  'icu-locale': (value) => `ICU_LOCALE ${literal(value)}`,
  'icu-rules': (value) => `ICU_RULES ${literal(value)}`,
  'builtin-locale': (value) => `BUILTIN_LOCALE ${literal(value)}`,
};

/**
 * Clauses of CREATE DATABASE. The new database is made like the one that it replaces; if there is nothing in that, like the source.
 */
export function likeLive({ manifest, live, standing }: RestoreCase): string {
  const made = createOptions(standing.isEmpty ? manifest : live).map((option) => {
    const [, name = '', value = ''] = /^--([a-z-]+)=(.*)$/s.exec(option) ?? [];
    const clause = clauses[name];
    if (clause === undefined) throw new Error(`No clause stands for ${option}`);
    return clause(value);
  });
  const tablespace = standing.tablespace === 'pg_default' ? [] : [`TABLESPACE ${identifier(standing.tablespace)}`];
  return [...made, ...tablespace].join(' ');
}

/** What an operator should know although it prevents nothing. */
export function restoreWarnings({ manifest, live, standing }: RestoreCase, database: string): string[] {
  const outside = standing.sessions.filter(({ address }) => address === null || !standing.services.has(address));
  const [asLive, asSource] = [createOptions(live), createOptions(manifest)].map((options) =>
    options.filter((option) => !option.startsWith('--locale-provider=')).join(' '),
  );
  const notes = [
    manifest.database === database
      ? null
      : `The backup is of the database "${manifest.database}", and replaces "${database}"`,
    standing.isEmpty || asLive === asSource
      ? null
      : `The database was made with ${asLive}, and the source of the backup with ${asSource}: the restored one is made like the database`,
    outside.length === 0
      ? null
      : `Sessions that are not of this project are ended: ${some(outside.map(({ address, application, count }) => `${count} from ${address ?? "the container's own socket"}${application === '' ? '' : ` (${application})`}`))}. Whoever they belong to must connect again`,
    // SQL text names the tablespaces, and goes back to where it was.
    standing.elsewhere.length === 0 || manifest.format === 'plain'
      ? null
      : `Tables or indexes are in the tablespaces ${some(standing.elsewhere)}: the restored ones will all be in that of the database, ${standing.tablespace}. Move them afterwards: ALTER TABLE … SET TABLESPACE …`,
    standing.labels.length === 0
      ? null
      : `The database has security labels of ${some(standing.labels)}, which no backup contains: the restored one has none. Set them again: SECURITY LABEL FOR … ON DATABASE …`,
  ];
  return notes.filter((note) => note !== null);
}
