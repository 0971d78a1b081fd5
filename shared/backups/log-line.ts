import type { BackupId, BackupKind } from '../sets/manifest.ts';

/** How a run ended, for the line in `backup.log`. null: unknown, or the run did not get that far. */
export interface RunOutcome {
  endedAt: Date;
  status: 'succeeded' | 'incomplete' | 'failed';
  id: BackupId | null;
  kind: BackupKind;
  environment: string;
  database: string | null;
  /** Path of the dump, relative to the backup folder. */
  file: string | null;
  bytes: number | null;
  sha256: string | null;
  durationMs: number;
  tiers: readonly string[];
  kept: number | null;
  deleted: number | null;
  actor: string | null;
  runUrl: string | null;
  /** What went wrong: a Failure's code and message. */
  problem: { code: string; message: string } | null;
}

/**
 * One line without its line break: `2026-11-23T02:17:09Z backup succeeded id=… bytes=…`. Values are bare, or in double
 * quotes with JSON's escapes, so no value can break the line or hide in it. Unknown values are left out.
 */
export function logLine(outcome: RunOutcome): string {
  const fields = {
    id: outcome.id,
    kind: outcome.kind,
    environment: outcome.environment,
    database: outcome.database,
    file: outcome.file,
    bytes: outcome.bytes,
    sha256: outcome.sha256,
    ms: Math.round(outcome.durationMs),
    tiers: outcome.tiers.length === 0 ? null : outcome.tiers.join(','),
    kept: outcome.kept,
    deleted: outcome.deleted,
    by: outcome.actor,
    run: outcome.runUrl,
    error: outcome.problem?.code ?? null,
    message: outcome.problem?.message ?? null,
  };
  const known = Object.entries(fields).filter(([, value]) => value !== null);
  const time = outcome.endedAt.toISOString().replace(/\.\d+Z$/, 'Z');
  return [`${time} backup ${outcome.status}`, ...known.map(([key, value]) => `${key}=${quoted(String(value))}`)].join(
    ' ',
  );
}

/** Escapes invisible characters too: a terminal that shows the log must not obey them. */
function quoted(value: string): string {
  if (/^[A-Za-z0-9_.,:/@+-]+$/.test(value)) return value;
  return JSON.stringify(value.slice(0, 1000)).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, escapedUnits);
}

function escapedUnits(character: string): string {
  return [...Array(character.length).keys()]
    .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`)
    .join('');
}
