import { byText } from '../by-text.ts';
import { cleanLine } from '../clean.ts';
import type { TableCount } from '../postgres/facts.ts';
import { relationName } from '../postgres/relation-name.ts';
import type { Release } from '../releases/release.ts';
import type { Check, Manifest, ManifestSummary } from '../sets/manifest.ts';
import type { TierDecision } from '../sets/tiers.ts';
import { counted, formatBytes, formatDuration } from '../units.ts';
import { dumpNotes } from './dump-notes.ts';
import type { RestoreCommands } from './restore-command.ts';
import type { SchemaChange } from './schema-changes.ts';
import { type SizePoint, sizeChart } from './size-chart.ts';
import { fields, folded, shortened } from './text-layout.ts';

/** What a report needs besides the manifest. */
export interface ReportFacts {
  /** What went wrong after the dump was verified; empty if the backup is complete. */
  problems: readonly string[];
  /** As operators write it: `deploy@db1.example`. */
  host: string;
  /** Absolute, on the host: the first folder that holds the set. */
  folder: string;
  /** The previous verified backup of the database. */
  previous: ManifestSummary | null;
  /** Since `previous`; null if the schemas could not be compared. */
  schemaChanges: readonly SchemaChange[] | null;
  tiers: readonly TierDecision[];
  /** The backups on the host, including this one. */
  sizes: readonly SizePoint[];
  /** As in `sizeChart`. */
  minSizeRatio: number;
  restore: RestoreCommands;
}

const kindInWords = {
  scheduled: 'scheduled',
  predeployment: 'before a deployment',
  prerollback: 'before a rollback',
} as const;

const mostTables = 20;
const mostChanges = 20;
const mostChangedLines = 10;

/**
 * The report for people: the verdict first, how to restore last. At most 100 columns wide, except for commands, which are
 * never cut. Ends with a line break.
 */
export function reportOf(manifest: Manifest, facts: ReportFacts): string {
  const { previous } = facts;
  const sections: [title: string, lines: readonly string[]][] = [
    ['Backup', backupLines(manifest, facts)],
    ['Checks', checkLines(manifest.checks)],
    ...noteSections(manifest),
    // Whoever finds the report of an encrypted backup need not learn what is in the database.
    ...(manifest.encryption === 'age'
      ? []
      : ([[tablesTitle(manifest.tables), tableLines(manifest.tables)]] as [string, string[]][])),
    [`Schema changes${previous === null ? '' : ` since ${previous.id}`}`, changeLines(manifest, facts)],
    ['Release: what ran', releaseLines(manifest.release)],
    ['Tiers', facts.tiers.flatMap(({ reason }) => folded('  ', reason))],
    ['Sizes (UTC)', sizeChart(facts.sizes, facts.minSizeRatio).map((line) => `  ${line}`)],
    ['To restore', restoreLines(facts.restore)],
  ];
  const parts = sections.map(([title, lines]) => [title, ...lines].join('\n'));
  return `${[verdict(manifest, facts).join('\n'), ...parts].join('\n\n')}\n`;
}

function verdict(manifest: Manifest, { problems }: ReportFacts): string[] {
  const what = `backup ${manifest.id} of "${manifest.database}", ${manifest.environment}`;
  if (problems.length === 0) {
    return [
      ...folded('VERIFIED  ', what),
      manifest.encryption === 'age'
        ? 'The dump was parsed in full before it was encrypted, and its ciphertext was read back from disk,\nthe same to the last byte. Only a restore with the private key proves that it can be restored.'
        : 'The dump was parsed in full, and was read back from disk, the same to the last byte. Only a restore\nproves that it can be restored.',
    ];
  }
  return [
    ...folded('INCOMPLETE  ', what),
    'The dump is verified, but something else went wrong:',
    ...problems.flatMap((problem) => folded('  ! ', problem)),
  ];
}

function backupLines(manifest: Manifest, { host, folder, previous }: ReportFacts): string[] {
  const ms = Date.parse(manifest.finishedAt) - Date.parse(manifest.startedAt);
  const before = manifest.dumpBytes === null ? '' : `; ${formatBytes(manifest.dumpBytes)} before compression`;
  const extensions = manifest.extensions.map(({ name, version }) => `${name} ${version}`).join(', ');
  return fields([
    [
      'Database',
      `${manifest.database}, PostgreSQL ${manifest.serverVersion}, ${manifest.encoding}, ${manifest.locale}`,
    ],
    ['Kind', kindInWords[manifest.kind]],
    ['Taken', `${timeOf(manifest.startedAt)}, in ${formatDuration(ms)}`],
    ['Host', host],
    ['Folder', folder],
    ['Dump', `${manifest.file} (${encodingOf(manifest)}, pg_dump ${manifest.pgDumpVersion})`],
    ['Size', `${formatBytes(manifest.sizeBytes)} (${manifest.sizeBytes} bytes)${before}`],
    ['Previous', previous === null ? 'none' : against(previous, manifest.sizeBytes)],
    ['SHA-256', manifest.sha256],
    ['MD5', manifest.md5],
    ['Holds', contentsOf(manifest)],
    ['Extensions', extensions === '' ? 'none' : extensions],
    ['Started by', manifest.actor ?? 'unknown'],
    ['Run', manifest.runUrl ?? 'unknown'],
    ['Commit', manifest.commit ?? 'unknown'],
  ]);
}

function encodingOf({ format, compression, encryption }: Manifest): string {
  const compressed = { zstd: 'zstd', gzip: 'gzip', none: 'not compressed' }[compression];
  return `${format} format, ${compressed}${encryption === 'age' ? ', encrypted for age' : ''}`;
}

function against(previous: ManifestSummary, bytes: number): string {
  const share =
    previous.sizeBytes === 0 ? '' : `; this one is ${Math.round((100 * bytes) / previous.sizeBytes)} % of that`;
  return `${formatBytes(previous.sizeBytes)} on ${timeOf(previous.startedAt)}${share}`;
}

function contentsOf({ tables, sequences, largeObjects }: Manifest): string {
  return [
    counted(tables.length, 'table'),
    counted(sequences.length, 'sequence'),
    counted(largeObjects, 'large object'),
  ].join(', ');
}

function checkLines(checks: readonly Check[]): string[] {
  const words = { passed: 'passed', failed: 'FAILED', 'could-not-check': 'NOT CHECKED' };
  const wordWidth = Math.max(0, ...checks.map(({ result }) => words[result].length));
  return fields(
    checks.map(({ name, result, detail, ms }) => [
      `${words[result].padEnd(wordWidth)}  ${name}`,
      ms > 0 ? `${detail} (${formatDuration(ms)})` : detail,
    ]),
  );
}

/** Only if there is something to say. */
function noteSections(manifest: Manifest): [title: string, lines: readonly string[]][] {
  const notes = dumpNotes(manifest);
  return notes.length === 0 ? [] : [['Before you restore it', notes.flatMap((note) => folded('  ! ', note))]];
}

function tablesTitle(tables: readonly TableCount[]): string {
  const known = tables.filter(({ rows }) => rows !== null);
  if (known.length === 0) return `Tables: ${tables.length}, rows not counted`;
  const rows = known.reduce((sum, table) => sum + (table.rows ?? 0), 0);
  const how = known.every(({ exact }) => exact) ? "counted in the dump's own snapshot" : 'some of it estimated';
  return `Tables: ${tables.length}, with ${grouped(rows)} rows, ${how}`;
}

/** The largest first; tables of equal size by name. */
function tableLines(tables: readonly TableCount[]): string[] {
  const ordered = tables
    .map((table) => ({ ...table, title: cleanLine(relationName(table), 70) }))
    .toSorted((a, b) => (b.rows ?? -1) - (a.rows ?? -1) || byText(a.title, b.title));
  const shown = ordered.slice(0, mostTables);
  const counts = shown.map(({ rows, exact }) => (rows === null ? '-' : `${exact ? '' : '~'}${grouped(rows)}`));
  const countWidth = Math.max(0, ...counts.map((count) => count.length));
  const lines = shown.map(({ title }, index) => `  ${counts[index]?.padStart(countWidth)}  ${title}`);
  return ordered.length > shown.length ? [...lines, `  and ${ordered.length - shown.length} more`] : lines;
}

function changeLines(manifest: Manifest, { previous, schemaChanges }: ReportFacts): string[] {
  if (previous === null) return ['  This is the first backup.'];
  if (manifest.schemaSha256 !== null && manifest.schemaSha256 === previous.schemaSha256) return ['  None.'];
  if (schemaChanges === null) {
    const isChanged = manifest.schemaSha256 !== null && previous.schemaSha256 !== null;
    return [
      isChanged
        ? '  It has changed. The two texts were not compared.'
        : '  Unknown: the schemas could not be compared.',
    ];
  }
  if (schemaChanges.length === 0) return ['  None, except in the order of the objects or the settings around them.'];
  const lines = schemaChanges.slice(0, mostChanges).flatMap(({ what, type, schema, name, lines: changed }) => {
    const rest = changed.length - mostChangedLines;
    return [
      ...folded(`  ${what.padEnd(7)}  `, `${type} ${schema === null ? '' : `${schema}.`}${name}`),
      ...changed.slice(0, mostChangedLines).map((line) => shortened('             ', line)),
      ...(rest > 0 ? [`             and ${counted(rest, 'more line')}`] : []),
    ];
  });
  const rest = schemaChanges.length - mostChanges;
  return rest > 0 ? [...lines, `  and ${counted(rest, 'more object')}`] : lines;
}

function releaseLines(release: Release): string[] {
  const services = Object.entries(release).map(([service, { image, digest, imageId }]): [string, string] => {
    const name = image ?? 'unknown';
    if (digest !== null) return [service, `${name} ${digest}`];
    return [service, `${name}, no digest${imageId === null ? '' : `, image ${imageId}`}`];
  });
  return services.length === 0 ? ['  Unknown.'] : fields(services);
}

const whyInPlace =
  'pg_cron works only in the database of this name. So this is no rehearsal: it replaces the live database. First stop the application; see "pg_cron" in docs/restore.md';

/** Commands consist of quoted words without invisible characters, so they are printed as they are. */
function restoreLines(restore: RestoreCommands): string[] {
  const steps: (readonly [what: string, commands: string])[] = [
    ['On a new server, first create the roles (without passwords; set those with ALTER ROLE)', restore.roles],
    ...(restore.swap === null
      ? ([
          [`In place of the old database, which is kept under another name: ${whyInPlace}`, restore.restore],
          ['To bring the old database back, once step 2 has put it aside. It drops nothing', restore.back ?? ''],
        ] as const)
      : ([
          ['Into a new, empty database; existing databases are not touched', restore.restore],
          ['In place of the old database, which is kept under another name: first stop the application', restore.swap],
        ] as const)),
  ];
  return [
    ...folded(
      '  ',
      restore.where ??
        'If the set is no longer in the folder named here, use the folder in which you found this report.',
    ),
    ...steps.flatMap(([what, commands], index) => ['', ...folded(`  ${index + 1}. `, what), commands]),
  ];
}

function timeOf(iso: string): string {
  return `${iso.slice(0, 19).replace('T', ' ')} UTC`;
}

function grouped(n: number): string {
  return n.toLocaleString('en-US');
}
