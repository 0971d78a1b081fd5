import type { DrillOutcome } from '../../shared/drill/drill.ts';
import type { Proof } from '../../shared/drill/proof.ts';
import type { Restored } from '../../shared/drill/restored.ts';
import { observed, type RunFacts } from '../../shared/history/observation.ts';
import type { HistoryRecord } from '../../shared/history/record.ts';
import type { TableCount } from '../../shared/postgres/facts.ts';
import type { DatabaseFacts } from '../../shared/postgres/probe.ts';
import { type BackupSet, type VerifiedSet, verifiedSetsOf } from '../../shared/sets/catalogue.ts';
import type { Manifest, ManifestSummary, SequenceRange } from '../../shared/sets/manifest.ts';
import { counted, formatDuration, listed } from '../../shared/units.ts';
import { Findings, type Problem } from '../finding.ts';

/** The facts by which a drill is judged. */
export interface DrillFacts {
  /** The whole manifest, with its lists of tables, sequences and extensions. */
  manifest: Manifest;
  outcome: DrillOutcome;
  /** Version of pg_dump in the scratch container's image; null if unknown. */
  pgDumpVersion: string | null;
  /** As in the user's file. */
  statements: readonly string[];
}

/** Restored data need more space than the archive: indexes are rebuilt, and the write-ahead log grows. */
const indexShare = 1.3;
const writeAhead = 1280 * 1024 ** 2;
const usualRatio = 4;

/**
 * Bytes that a drill needs on Docker's disk at its peak.
 * @param live current size of the database; null if it does not answer
 */
export function neededFor({ dumpBytes, sizeBytes }: ManifestSummary, live: number | null): number {
  const data = Math.max(live ?? 0, (dumpBytes ?? sizeBytes * usualRatio) * indexShare);
  return Math.ceil(data * 1.1 + writeAhead);
}

/** The running database's image if its major version matches the archive's, otherwise the official image. */
export function imageFor(manifest: ManifestSummary, running: { imageId: string; facts: DatabaseFacts } | null): string {
  const major = (version: string) => Number.parseInt(version, 10);
  if (running !== null && major(running.facts.serverVersion) === major(manifest.serverVersion)) return running.imageId;
  return `postgres:${major(manifest.serverVersion)}`;
}

/** Finds the set to drill. @param wanted an id, or `latest` */
export function chooseSet(wanted: string, database: string, sets: readonly BackupSet[]): VerifiedSet | null {
  const own = verifiedSetsOf(database, sets);
  return (wanted === 'latest' ? own[0] : own.find(({ id }) => id === wanted)) ?? null;
}

/** Checks that the restored data equal the dumped data. */
export function judgeDrill({ manifest, outcome, pgDumpVersion, statements }: DrillFacts): Findings {
  const findings = new Findings('drill');
  const { id } = manifest;
  const { fault, restored } = outcome;
  const remedy = `Do not rely on ${id}. Take a backup now and drill it`;
  findings.check('same bytes', () => {
    if (outcome.sha256 === manifest.sha256) return `${manifest.file} matches its manifest`;
    return { detail: `${manifest.file} does not match its manifest, or could not be read`, remedy };
  });
  findings.check('restore', () => {
    if (fault === null)
      return `restored ${id} of "${manifest.database}" into an empty server in ${formatDuration(outcome.restoreMs)}`;
    return { detail: `${id}: ${fault.why}. ${fault.words}`, remedy };
  });
  if (restored === null) {
    for (const name of ['tables', 'rows', 'sequences', 'large objects', 'extensions', 'schema', 'indexes'])
      findings.unable(name, 'the backup was not restored', null);
    if (statements.length > 0) findings.unable('drill-sql', 'the backup was not restored', null);
    return findings;
  }
  findings.check('tables', () => judgeTables(manifest.tables, restored.tables, remedy));
  judgeRows(findings, manifest.tables, restored.tables, remedy);
  findings.check('sequences', () => judgeSequences(manifest.sequences, restored.sequences, remedy));
  findings.check('large objects', () =>
    restored.largeObjects === manifest.largeObjects
      ? `${restored.largeObjects}`
      : { detail: `${restored.largeObjects} instead of ${manifest.largeObjects}`, remedy },
  );
  findings.check('extensions', () => judgeExtensions(manifest, restored, remedy));
  judgeSchema(findings, manifest, restored, pgDumpVersion, remedy);
  judgeIndexes(findings, restored, remedy);
  if (statements.length > 0) judgeStatements(findings, statements, restored.assertions);
  return findings;
}

/** The backup, what came back and how long that took: `backup 20261125_083415 of "shop", 8,316 rows, recovered in 5.5 s`. */
export function drillText({ id, database }: ManifestSummary, { fault, restored, restoreMs }: DrillOutcome): string {
  const backup = `backup ${id} of "${database}"`;
  if (fault !== null || restored === null) return `${backup}, not restored`;
  const rows = restored.tables.reduce((sum, table) => sum + (table.rows ?? 0), 0);
  return `${backup}, ${counted(rows, 'row')}, recovered in ${formatDuration(restoreMs)}`;
}

const nameOf = ({ schema, name }: { schema: string; name: string }) => `${schema}.${name}`;
const some = (names: readonly string[]) => listed(names, 5);

function judgeTables(wanted: readonly TableCount[], found: readonly TableCount[], remedy: string): string | Problem {
  const [expected, present] = [new Set(wanted.map(nameOf)), new Set(found.map(nameOf))];
  const missing = [...expected].filter((name) => !present.has(name));
  const added = [...present].filter((name) => !expected.has(name));
  if (missing.length > 0) return { detail: `${some(missing)} was not restored`, remedy };
  if (added.length > 0) return { detail: `${some(added)} was restored but is not in the manifest`, remedy };
  // Not a fault, just as for a backup: the database may be new, or hold only functions.
  if (found.length === 0) return 'none: the database had no table when the dump was taken';
  return `all ${found.length} were restored`;
}

/** An estimated or missing count proves nothing. */
function judgeRows(
  findings: Findings,
  wanted: readonly TableCount[],
  found: readonly TableCount[],
  remedy: string,
): void {
  const counts = new Map(found.map((table) => [nameOf(table), table.rows]));
  const exact = wanted.filter((table) => table.exact);
  if (exact.length < wanted.length) {
    findings.unable(
      'rows',
      'the backup has no exact counts to compare with',
      'In backup-action, set row-counts: exact',
    );
    return;
  }
  findings.check('rows', () => {
    const other = exact.filter((table) => counts.get(nameOf(table)) !== table.rows);
    if (wanted.length === 0 && found.length === 0) return 'none: there are no tables';
    if (other.length === 0)
      return `${exact.reduce((sum, { rows }) => sum + (rows ?? 0), 0)} in total; the count of every table matches exactly`;
    const named = other.map(
      (table) => `${nameOf(table)} has ${counts.get(nameOf(table)) ?? 'none'} instead of ${table.rows}`,
    );
    return { detail: some(named), remedy };
  });
}

function judgeSequences(
  wanted: readonly SequenceRange[],
  found: Restored['sequences'],
  remedy: string,
): string | Problem {
  const values = new Map(found.map((sequence) => [nameOf(sequence), sequence.value]));
  const bad = wanted.filter((sequence) => !isWithin(sequence, values.get(nameOf(sequence))));
  if (wanted.length === 0) return 'none';
  if (bad.length === 0) return `${counted(wanted.length, 'sequence')}, each where it was when the dump was taken`;
  const named = bad.map(
    (sequence) =>
      `${nameOf(sequence)} is at ${values.get(nameOf(sequence)) ?? 'nothing'}, not between ${sequence.before ?? 'nothing'} and ${sequence.after ?? 'nothing'}`,
  );
  return { detail: some(named), remedy };
}

/** The sequence was read before and after the dump, and moves only in the direction of its increment. */
function isWithin({ before, after, increment }: SequenceRange, value: string | null | undefined): boolean {
  if (value === undefined) return false;
  if (value === null) return before === null;
  if (after === null) return false;
  const direction = BigInt(increment) < 0n ? -1n : 1n;
  const from = (bound: string) => (BigInt(value) - BigInt(bound)) * direction;
  return from(after) <= 0n && (before === null || from(before) >= 0n);
}

function judgeExtensions({ extensions }: Manifest, restored: Restored, remedy: string): string | Problem {
  const present = new Map(restored.extensions.map(({ name, version }) => [name, version]));
  const missing = extensions.filter(({ name }) => !present.has(name)).map(({ name }) => name);
  if (missing.length > 0) return { detail: `${some(missing)} was not restored`, remedy };
  const newer = extensions
    .filter(({ name, version }) => present.get(name) !== version)
    .map(({ name, version }) => `${name} ${present.get(name)} instead of ${version}`);
  if (extensions.length === 0) return 'none';
  return newer.length === 0
    ? some(extensions.map(({ name, version }) => `${name} ${version}`))
    : `all were restored; the image has different versions of: ${some(newer)}`;
}

/** Another version of pg_dump may write the same schema differently. */
function judgeSchema(
  findings: Findings,
  { schemaSha256, pgDumpVersion: ofBackup }: Manifest,
  restored: Restored,
  pgDumpVersion: string | null,
  remedy: string,
): void {
  const isSame = schemaSha256 === restored.schemaSha256;
  if (schemaSha256 === null) {
    findings.unable('schema', 'the backup has no schema to compare with', 'See the report of the backup');
  } else if (!isSame && pgDumpVersion !== ofBackup) {
    const detail = `cannot compare: pg_dump ${pgDumpVersion ?? 'of an unknown version'} may write the same schema differently than ${ofBackup} did`;
    findings.unable('schema', detail, 'Take a backup with the new version and drill it');
  } else {
    findings.check('schema', () =>
      isSame ? 'a new dump of it is identical' : { detail: 'a new dump of it differs', remedy },
    );
  }
}

function judgeIndexes(findings: Findings, { checkedIndexes, indexFaults }: Restored, remedy: string): void {
  if (indexFaults.length === 0 && checkedIndexes === null) {
    // The restore has rebuilt constraints and indexes, and fails if one cannot be built.
    findings.check('indexes', () => 'all are valid; not read in full, because the image lacks amcheck');
    return;
  }
  findings.check('indexes', () =>
    indexFaults.length === 0
      ? `all are valid; amcheck read ${checkedIndexes} of them`
      : { detail: some(indexFaults), remedy },
  );
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
export function drillRecord(manifest: ManifestSummary, { result, restoreMs }: Proof, facts: RunFacts): HistoryRecord {
  const { id, release, schemaSha256 } = manifest;
  return {
    ...observed(release, { ...facts, backupId: id, schemaSha256 }, null),
    event: 'drill',
    status: result === 'passed' ? 'succeeded' : 'failed',
    durationMs: restoreMs,
  };
}
