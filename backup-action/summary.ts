import type { Manifest } from '../shared/backups/manifest.ts';
import { reportOf } from '../shared/backups/report.ts';
import { type RestorePlace, restoreCommands } from '../shared/backups/restore-command.ts';
import { compareSchemas, type SchemaChange } from '../shared/backups/schema-changes.ts';
import type { Settlement } from '../shared/backups/settlement.ts';
import { type SizePoint, sizeChart } from '../shared/backups/size-chart.ts';
import type { TakenDump } from '../shared/backups/take.ts';
import { Failure } from '../shared/failure.ts';
import * as log from '../shared/runner/log.ts';
import * as summary from '../shared/runner/summary.ts';
import { formatBytes, formatDuration } from '../shared/units.ts';
import type { BackupInputs } from './inputs.ts';

/** What is told of a backup that was kept. */
export interface Told {
  settlement: Settlement;
  dump: TakenDump;
  previous: Manifest | null;
  place: RestorePlace;
  /** `deploy@host` */
  target: string;
  minSizeRatio: number;
}

/** Tells of a backup that was kept: a line in the log, and the job's summary. */
export async function summarizeBackup(told: Told, problems: readonly string[], durationMs: number): Promise<void> {
  const { settlement, place, target, previous } = told;
  const { manifest, pruning, entered } = settlement;
  const size = formatBytes(manifest.sizeBytes);
  const verdict = `Backup ${manifest.id} of "${manifest.database}" is verified: ${size} in ${formatDuration(durationMs)}`;
  if (problems.length === 0) log.success(verdict);
  else log.important(`${verdict}, but the run is incomplete`);

  const restore = restoreCommands(manifest, place);
  const rows: [string, summary.Cell][] = [
    ['Database', `${manifest.database} (${manifest.environment})`],
    // As code: GitHub would make a mail address of it.
    ['Host', { code: target }],
    ['File', { code: `${place.folder}/${manifest.file}` }],
    [
      'Size',
      previous === null ? size : `${size}; the previous, ${previous.id}, has ${formatBytes(previous.sizeBytes)}`,
    ],
    ['SHA-256', { code: manifest.sha256 }],
    ['Kept in', entered.join(', ')],
    ['Tables', `${manifest.tables.length}, with ${rowsOf(manifest)}`],
    ['PostgreSQL', `${manifest.serverVersion}, pg_dump ${manifest.pgDumpVersion}`],
    ['Took', formatDuration(durationMs)],
  ];
  await summary.writeSummary([
    problems.length === 0
      ? summary.verdict('good', `Backup ${manifest.id} is verified`)
      : summary.verdict('attention', `Backup ${manifest.id} is verified, but the run is incomplete`),
    ...problems.map(summary.paragraph),
    summary.table(['', ''], rows),
    summary.heading('Sizes'),
    summary.codeBlock(sizeChart(sizesOf(told), told.minSizeRatio).join('\n')),
    summary.heading('To restore it'),
    summary.paragraph(`On the host, into the new database ${restore.database}; the one that is in use stays as it is:`),
    summary.codeBlock(restore.restore, 'bash'),
    summary.details('Checks', [
      summary.table(
        ['Check', 'Result', 'What was seen'],
        manifest.checks.map(({ name, result, detail }) => [name, result, detail]),
      ),
    ]),
    summary.details(`Kept and deleted: ${settlement.deletions.length} deleted`, [
      summary.table(
        ['Tier', 'Backup', 'Why'],
        pruning.map(({ tier, id, reason }) => [tier, { code: id }, reason]),
      ),
    ]),
    ...schemaBlocks(told),
    summary.details('Release: what ran', [
      summary.table(
        ['Service', 'Image', 'Digest or image id'],
        Object.entries(manifest.release).map(([service, { image, digest, imageId }]) => [
          service,
          { code: image ?? 'not known' },
          { code: digest ?? imageId ?? 'not known' },
        ]),
      ),
    ]),
  ]);
}

/** Tells of a run that came to nothing. */
export async function summarizeFailure(error: unknown, { environment, kind }: BackupInputs): Promise<void> {
  const failure = error instanceof Failure ? error : new Failure('defect', String(error));
  const isUnknown = failure.code === 'publication-unknown';
  const earlier = isUnknown ? '' : 'Earlier backups are as they were. ';
  const deployment = kind === 'predeployment' ? 'The deployment must not go on without a backup.' : '';
  await summary.writeSummary([
    summary.verdict(
      'bad',
      isUnknown ? 'Whether the backup was kept is not known' : `No backup of ${environment} was taken`,
    ),
    summary.paragraph(failure.message),
    ...(failure.hint === undefined ? [] : [summary.heading('What to do'), summary.paragraph(failure.hint)]),
    ...(earlier + deployment === '' ? [] : [summary.paragraph(earlier + deployment)]),
  ]);
}

/** The report that stands beside the dump. */
export function reportText(told: Told): string {
  const { settlement, place, previous, target, minSizeRatio } = told;
  return reportOf(settlement.manifest, {
    problems: settlement.problems,
    host: target,
    folder: place.folder,
    previous,
    schemaChanges: schemaChanges(told),
    tiers: settlement.tiers,
    sizes: sizesOf(told),
    minSizeRatio,
    restore: restoreCommands(settlement.manifest, place),
  });
}

function rowsOf({ tables }: Manifest): string {
  const rows = tables.reduce((sum, table) => sum + (table.rows ?? 0), 0);
  if (tables.every((table) => table.exact)) return `${rows} rows, counted`;
  return tables.some((table) => table.rows !== null) ? `about ${rows} rows` : 'rows not counted';
}

function sizesOf({ settlement }: Told): SizePoint[] {
  return settlement.sets.map(({ id, manifest }) => ({ id, bytes: manifest.sizeBytes, kind: manifest.kind }));
}

/** null where there is nothing to compare with. */
function schemaChanges({ dump }: Told): SchemaChange[] | null {
  const { schemaText, previousSchemaText } = dump;
  return schemaText === null || previousSchemaText === null ? null : compareSchemas(previousSchemaText, schemaText);
}

function schemaBlocks(told: Told): summary.Block[] {
  const changes = schemaChanges(told);
  if (changes === null || changes.length === 0) return [];
  return [
    summary.details(`Schema: ${changes.length} objects changed since ${told.previous?.id}`, [
      summary.table(
        ['', 'Object'],
        changes.map(({ what, type, schema, name }) => [what, `${type} ${schema === null ? '' : `${schema}.`}${name}`]),
      ),
    ]),
  ];
}
