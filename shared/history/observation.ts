import { randomBytes } from 'node:crypto';
import { type Release, sameRelease } from '../releases/release.ts';
import type { KnownSettings } from '../releases/settings-hash.ts';
import { type HistoryRecord, recordId } from './record.ts';

/** What a run knows apart from the release. */
export interface RunFacts {
  /** The id of the record, if one is made. */
  id: string;
  at: Date;
  environment: string;
  schemaSha256: string | null;
  backupId: string | null;
  actor: string | null;
  runUrl: string | null;
  commit: string | null;
  reason: string | null;
  /** Of the release; left out if nobody asked compose. */
  settings?: KnownSettings | null;
}

/** What a record says of the workflow run that wrote it. */
export type WorkflowFacts = Record<'runId' | 'runAttempt' | 'actor' | 'runUrl' | 'commit', string | null>;

/** What a run says of itself in a record, with what else it knows. */
export function runFacts(
  environment: string,
  { runId, runAttempt, actor, runUrl, commit }: WorkflowFacts,
  known: Partial<Pick<RunFacts, 'schemaSha256' | 'backupId' | 'reason' | 'settings'>> = {},
): RunFacts {
  const id = recordId(runId, runAttempt, randomBytes(4).toString('hex'));
  const unknown = { schemaSha256: null, backupId: null, reason: null };
  return { id, at: new Date(), environment, actor, runUrl, commit, ...unknown, ...known };
}

/**
 * The newest record that says which release is running; null if there is none. Imported lines of the old scripts do not
 * count: they name no image, and may be imported at any time.
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
 * The schema that the newest backup saw, as SHA-256; null if no record has one. A backup adds a record when the schema has
 * changed. Drills do not count: a drill records the schema of the backup that it restored, which may be old.
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
 * The record for a release that was seen running: a new one only if release or schema differ from the newest record, so
 * that the history does not grow by a line each night.
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

/** A record of what is running, without a verdict on it. */
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
    restoredId: null,
    reason,
    actor,
    runUrl,
    commit,
    settings: seen.settings ?? null,
    durationMs: null,
    downtimeMs: null,
  };
}
