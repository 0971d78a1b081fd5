import type { BackupOrder } from '../shared/backups/backup-order.ts';
import { type ReportFacts, schemaChangesIn, sizesIn } from '../shared/backups/report-facts.ts';
import type { KeptBackup } from '../shared/backups/verified-backup.ts';
import { Failure, isFailure } from '../shared/failure.ts';
import type { LastGood } from '../shared/notify/notice.ts';
import { dumpNotes } from '../shared/report/dump-notes.ts';
import { restoreCommands } from '../shared/report/restore-command.ts';
import { sizeChart } from '../shared/report/size-chart.ts';
import * as summary from '../shared/runner/job-summary.ts';
import * as log from '../shared/runner/log.ts';
import type { Manifest } from '../shared/sets/manifest.ts';
import { counted, formatBytes, formatDuration } from '../shared/units.ts';
import type { OffsiteResult } from './offsite.ts';

/** Reports a backup that was kept: one line in the log, and the job summary. */
export function summarizeBackup({ facts, problems }: KeptBackup, copy: OffsiteResult | null, durationMs: number): void {
  const { publicationPlan, place, hostName, previous } = facts;
  const { manifest, pruning, entered } = publicationPlan;
  const size = formatBytes(manifest.sizeBytes);
  const verdict = `Backup ${manifest.id} of "${manifest.database}" is verified: ${size} in ${formatDuration(durationMs)}`;
  if (problems.length === 0) log.success(verdict);
  else log.important(`${verdict}, but the run is incomplete`);

  for (const note of dumpNotes(manifest)) log.important(note);

  const restore = restoreCommands(manifest, place);
  const where = restore.where === null ? 'On the host' : 'Where the private key is';
  const rows: [string, summary.Cell][] = [
    ['Database', `${manifest.database} (${manifest.environment})`],
    // As code, or GitHub would turn it into a mail link.
    ['Host', { code: hostName }],
    ['File', { code: `${place.folder}/${manifest.file}` }],
    [
      'Size',
      previous === null ? size : `${size}; the previous one, ${previous.id}, has ${formatBytes(previous.sizeBytes)}`,
    ],
    ['SHA-256', { code: manifest.sha256 }],
    ['Kept in', entered.join(', ')],
    ['Tables', `${manifest.tables.length}, with ${rowsOf(manifest)}`],
    ['PostgreSQL', `${manifest.serverVersion}, pg_dump ${manifest.pgDumpVersion}`],
    ...copyRows(copy),
    ['Took', formatDuration(durationMs)],
  ];
  summary.writeSummary([
    problems.length === 0
      ? summary.verdict('good', `Backup ${manifest.id} is verified`)
      : summary.verdict('attention', `Backup ${manifest.id} is verified, but the run is incomplete`),
    ...problems.map(summary.paragraph),
    ...dumpNotes(manifest).map(summary.paragraph),
    ...(copy?.others == null ? [] : [summary.paragraph(copy.others)]),
    summary.facts(rows),
    summary.heading('Sizes'),
    summary.codeBlock(sizeChart(sizesIn(facts), facts.minSizeRatio).join('\n')),
    summary.heading('How to restore it'),
    ...(restore.where === null ? [] : [summary.paragraph(restore.where)]),
    summary.paragraph(
      restore.swap === null
        ? `${where}, once the application is stopped. pg_cron works only in the database of this name, so this is no rehearsal: it replaces the live database, which is kept under another name:`
        : `${where}. This creates the database ${restore.database}; the one in use is not touched:`,
    ),
    summary.codeBlock(restore.restore, 'bash'),
    ...(restore.back === null
      ? []
      : [
          summary.paragraph('To bring the old database back after these commands put it aside. This drops nothing:'),
          summary.codeBlock(restore.back, 'bash'),
        ]),
    summary.details('Checks', [
      summary.table(
        ['Check', 'Result', 'Details'],
        manifest.checks.map(({ name, result, detail }) => [name, result, detail]),
      ),
    ]),
    summary.details(`Kept and deleted: ${publicationPlan.deletions.length} deleted`, [
      summary.table(
        ['Tier', 'Backup', 'Why'],
        pruning.map(({ tier, id, reason }) => [tier, { code: id }, reason]),
      ),
    ]),
    ...schemaBlocks(facts),
    summary.details('Release: what ran', [
      summary.table(
        ['Service', 'Image', 'Digest or image id'],
        Object.entries(manifest.release).map(([service, { image, digest, imageId }]) => [
          service,
          { code: image ?? 'unknown' },
          { code: digest ?? imageId ?? 'unknown' },
        ]),
      ),
    ]),
  ]);
}

function copyRows(copy: OffsiteResult | null): [string, summary.Cell][] {
  if (copy === null) return [];
  if (copy.copied === null) return [['Off-site copy', 'missing']];
  const { uri, files } = copy.copied;
  const isReadBack = files.some(({ confirmation }) => confirmation === 'read-back');
  return [
    ['Off-site copy', { code: uri }],
    ['Compared', isReadBack ? 'read back from the bucket: the same SHA-256' : 'the store reports the same SHA-256'],
  ];
}

/** What is known of the host when a run has failed. */
interface FailedOn {
  /** For people; as given, if it was not reached. */
  hostName: string;
  lastGood: LastGood;
}

/** Reports a run that took no backup, in the job summary. */
export function summarizeFailure(
  error: unknown,
  { environment, kind }: BackupOrder,
  { hostName, lastGood }: FailedOn,
): void {
  const failure = isFailure(error) ? error : new Failure('defect', String(error));
  const isUnknown = failure.code === 'publication-unknown';
  const earlier = isUnknown ? '' : 'Earlier backups are unchanged. ';
  const deployment = kind === 'predeployment' ? 'Do not deploy without a backup.' : '';
  summary.writeSummary([
    summary.verdict(
      'bad',
      isUnknown ? 'It is unknown whether the backup was kept' : `No backup of ${environment} was taken`,
    ),
    summary.paragraph(failure.message),
    ...(failure.hint === undefined ? [] : [summary.heading('What to do'), ...summary.advice(failure.hint)]),
    ...(earlier + deployment === '' ? [] : [summary.paragraph(earlier + deployment)]),
    summary.facts([
      ['Host', { code: hostName }],
      ['Newest good backup', newestGood(lastGood)],
    ]),
    summary.explained(failure.code),
  ]);
}

function newestGood(lastGood: LastGood): string {
  if (lastGood === 'none') return 'there is none on the host';
  if (lastGood === 'unknown') return 'unknown: this run could not check';
  return `${lastGood.id}, ${formatDuration(Date.now() - lastGood.takenAt.getTime())} old`;
}

function rowsOf({ tables }: Manifest): string {
  const rows = tables.reduce((sum, table) => sum + (table.rows ?? 0), 0);
  if (tables.every((table) => table.exact)) return `${counted(rows, 'row')}, counted exactly`;
  return tables.some((table) => table.rows !== null) ? `about ${counted(rows, 'row')}` : 'rows not counted';
}

function schemaBlocks(facts: ReportFacts): summary.Block[] {
  const changes = schemaChangesIn(facts);
  if (changes === null || changes.length === 0) return [];
  return [
    summary.details(`Schema: ${counted(changes.length, 'object')} changed since ${facts.previous?.id}`, [
      summary.table(
        ['Change', 'Object'],
        changes.map(({ what, type, schema, name }) => [what, `${type} ${schema === null ? '' : `${schema}.`}${name}`]),
      ),
    ]),
  ];
}
