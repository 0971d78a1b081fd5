import { randomBytes } from 'node:crypto';
import { type Release, sameRelease } from '../releases/release.ts';
import { type HistoryRecord, recordId } from './record.ts';

/** What a run has seen, besides the release. */
export interface RunFacts {
  /** Of the record, should one be made. */
  id: string;
  at: Date;
  environment: string;
  schemaSha256: string | null;
  backupId: string | null;
  actor: string | null;
  runUrl: string | null;
  commit: string | null;
  reason: string | null;
}

/** What a record says of the workflow run that wrote it. */
export type WorkflowFacts = Record<'runId' | 'runAttempt' | 'actor' | 'runUrl' | 'commit', string | null>;

/** What a run says of itself in a record, with what else it knows. */
export function runFacts(
  environment: string,
  { runId, runAttempt, actor, runUrl, commit }: WorkflowFacts,
  known: Partial<Pick<RunFacts, 'schemaSha256' | 'backupId' | 'reason'>> = {},
): RunFacts {
  const id = recordId(runId, runAttempt, randomBytes(4).toString('hex'));
  const unknown = { schemaSha256: null, backupId: null, reason: null };
  return { id, at: new Date(), environment, actor, runUrl, commit, ...unknown, ...known };
}

/**
 * What a history knows to run; null where it tells of nothing. The scripts' lines, which name no image and come to the end
 * of the file whenever they are imported, say nothing of it.
 * @param history the host's own, in the order of its file
 */
export function newestKnown(history: readonly HistoryRecord[], environment: string): HistoryRecord | null {
  const newest = history.findLast(
    ({ environment: of, status, event, release }) =>
      of === environment &&
      status === 'succeeded' &&
      event !== 'drill' &&
      event !== 'restore' &&
      Object.values(release).some(({ digest, imageId }) => digest !== null || imageId !== null),
  );
  return newest ?? null;
}

/**
 * The schema that the newest backup saw, as SHA-256; null where the history tells of none. A backup adds a record where the
 * schema is another one than that of the newest. A drill tells of the backup that it restored, which may be an old one.
 * @param history the host's own, in the order of its file
 */
export function newestSchema(history: readonly HistoryRecord[], environment: string): string | null {
  const newest = history.findLast(
    ({ environment: of, event, schemaSha256 }) =>
      of === environment && event !== 'drill' && event !== 'restore' && schemaSha256 !== null,
  );
  return newest?.schemaSha256 ?? null;
}

/**
 * The record of a release that was seen to run: a new one where release or schema are others than those of the newest
 * record, so that a history does not grow by a line each night.
 * @param history the host's own, in the order of its file
 */
export function observationOf(
  release: Release,
  seen: RunFacts,
  history: readonly HistoryRecord[],
): { record: HistoryRecord; isNew: boolean } {
  const newest = newestKnown(history, seen.environment);
  if (newest !== null && sameRelease(newest.release, release) && newest.schemaSha256 === seen.schemaSha256) {
    return { record: newest, isNew: false };
  }
  return { record: observed(release, seen, newest?.release ?? null), isNew: true };
}

/** A record that says what runs, and nothing of how good it is. */
export function observed(release: Release, seen: RunFacts, previous: Release | null): HistoryRecord {
  const { id, at, environment, schemaSha256, backupId, actor, runUrl, commit, reason } = seen;
  return {
    version: 1,
    id,
    at: at.toISOString(),
    environment,
    event: 'observed',
    status: 'succeeded',
    verdict: 'unknown',
    release,
    previous,
    schemaSha256,
    backupId,
    reason,
    actor,
    runUrl,
    commit,
    durationMs: null,
    downtimeMs: null,
  };
}
