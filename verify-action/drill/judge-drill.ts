import type { DrillOutcome } from '../../shared/drill/drill-request.ts';
import { Findings, some } from '../../shared/drill/finding.ts';
import { judgeData } from '../../shared/drill/judge-data.ts';
import type { Restored } from '../../shared/drill/restored.ts';
import { observed, type RunFacts } from '../../shared/history/observation.ts';
import type { HistoryRecord } from '../../shared/history/record.ts';
import type { DatabaseFacts } from '../../shared/postgres/probe.ts';
import type { Manifest, ManifestSummary } from '../../shared/sets/manifest.ts';
import type { DrillProof } from '../../shared/sets/proof.ts';
import { counted, formatDuration } from '../../shared/units.ts';
import { judgeIndexes } from './judge-indexes.ts';
import { judgeSchema } from './judge-schema.ts';
import { remedyOf } from './remedy.ts';

/** The facts by which a drill is judged. */
export interface DrillFacts {
  /** The whole manifest, with its lists of tables, sequences and extensions. */
  manifest: Manifest;
  outcome: DrillOutcome;
  /** As in the user's file. */
  statements: readonly string[];
  /** URI of the copy that was restored; null if it was the one on the host. */
  copy: string | null;
}

/** The running database's image if its major version matches the archive's, otherwise the official image. */
export function imageFor(manifest: ManifestSummary, running: { imageId: string; facts: DatabaseFacts } | null): string {
  const major = (version: string) => Number.parseInt(version, 10);
  if (running !== null && major(running.facts.serverVersion) === major(manifest.serverVersion)) return running.imageId;
  return `postgres:${major(manifest.serverVersion)}`;
}

/** Checks that the restored data equal the dumped data. */
export function judgeDrill({ manifest, outcome, statements, copy }: DrillFacts): Findings {
  const findings = new Findings('drill');
  const { fault, restored } = outcome;
  const id = copy === null ? manifest.id : `the copy of ${manifest.id} off the host`;
  const remedy = `Do not rely on ${id}. Take a backup now and drill it`;
  findings.check('same bytes', () => {
    if (outcome.sha256 === manifest.sha256) return `${manifest.file} matches its manifest`;
    const what = outcome.sha256 === null ? 'could not be read to its end' : 'does not match its manifest';
    return { detail: `${manifest.file} ${what}`, remedy };
  });
  findings.check('restore', () => {
    if (fault === null)
      return `restored ${copy === null ? id : `${manifest.id} from ${copy}`} of "${manifest.database}" into an empty server in ${formatDuration(outcome.restoreMs)}`;
    return {
      detail: `${id}: ${fault.why}. ${fault.words}`,
      remedy: remedyOf({ id, sha256: manifest.sha256 }, outcome),
    };
  });
  if (restored === null) {
    for (const name of ['tables', 'rows', 'content', 'sequences', 'large objects', 'extensions', 'schema', 'indexes'])
      findings.unable(name, 'the backup was not restored', null);
    if (statements.length > 0) findings.unable('drill-sql', 'the backup was not restored', null);
    return findings;
  }
  judgeData(findings, manifest, restored, remedy);
  judgeSchema(findings, manifest, restored);
  judgeIndexes(findings, restored, remedy);
  if (statements.length > 0) judgeStatements(findings, statements, restored.assertions);
  return findings;
}

/** The backup, what came back and how long that took: `backup 20261125_083415 of "shop", 8,316 rows, recovered in 5.5 s`. */
export function drillText(
  { id, database }: ManifestSummary,
  { fault, restored, restoreMs }: DrillOutcome,
  copy: string | null,
): string {
  const backup = `backup ${id} of "${database}"${copy === null ? '' : ` from the off-site copy ${copy}`}`;
  if (fault !== null || restored === null) return `${backup}, not restored`;
  const rows = restored.tables.filter(({ isDumped }) => isDumped).reduce((sum, table) => sum + (table.rows ?? 0), 0);
  return `${backup}, ${counted(rows, 'row')}, recovered in ${formatDuration(restoreMs)}`;
}

function judgeStatements(findings: Findings, statements: readonly string[], assertions: Restored['assertions']): void {
  if (assertions === null) {
    findings.unable('drill-sql', 'could not create a read-only role in the scratch database', 'See the log');
    return;
  }
  findings.check('drill-sql', () => {
    const wrong = statements
      .map((statement, index) => ({ statement, result: assertions[index] }))
      .filter(({ result }) => result?.isTrue !== true);
    if (wrong.length === 0) return `${counted(statements.length, 'statement')}, all true`;
    const named = wrong.map(
      ({ statement, result }) => `${oneLine(statement)} returned ${oneLine(result?.answer ?? '') || 'nothing'}`,
    );
    return {
      detail: some(named),
      remedy: 'Find out which is wrong: the restored data, or the statement in "drill-sql"',
    };
  });
}

const oneLine = (text: string) => {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > 120 ? `${line.slice(0, 119)}…` : line;
};

/** The record of a drill. It says nothing about the release that was running when the backup was taken. */
export function drillRecord(
  manifest: ManifestSummary,
  { result, restoreMs }: DrillProof,
  facts: RunFacts,
): HistoryRecord {
  const { id, release, schemaSha256 } = manifest;
  return {
    ...observed(release, { ...facts, backupId: id, schemaSha256 }, null),
    event: 'drill',
    status: result === 'passed' ? 'succeeded' : 'failed',
    durationMs: restoreMs,
  };
}
