import { createHash } from 'node:crypto';
import { isTag } from '../releases/image-reference.ts';
import type { HistoryRecord } from './record.ts';

/** How many of the newest lines are imported: each is written and flushed on its own. */
const mostLines = 200;

/**
 * Imports what the old scripts wrote into deployment_tags.log: `YYYYMMDD_HHMMSS,tag,tag`. They wrote the tag that was being
 * replaced, and the backend's tag into both columns, so these records are shown but never chosen as a target. The same line
 * always becomes the same record. Only the last lines are imported.
 */
export function importLegacy(log: string, environment: string): HistoryRecord[] {
  const lines = new Set(log.split('\n').map((line) => line.trim()));
  return [...lines].flatMap((line) => readLine(line, environment)).slice(-mostLines);
}

function readLine(line: string, environment: string): HistoryRecord[] {
  const [, time, backend = '', frontend = ''] = /^(\d{8}_\d{6}),([^,\s]+),([^,\s]+)$/.exec(line) ?? [];
  const at = time === undefined ? null : isoTime(time);
  if (at === null || !isTag(backend) || !isTag(frontend)) return [];
  const hex = createHash('sha256').update(`${environment}\n${line}`).digest('hex').slice(0, 8);
  const image = (tag: string) => ({ image: null, tag, digest: null, imageId: null });
  return [
    {
      version: 1,
      id: `0-0-${hex}`,
      at,
      environment,
      event: 'observed',
      status: 'succeeded',
      verdict: 'unknown',
      release: { backend: image(backend), frontend: image(frontend) },
      previous: null,
      schemaSha256: null,
      backupId: null,
      restoredId: null,
      reason: "Imported from the old scripts' log, where the tag may be the one that was replaced",
      actor: null,
      runUrl: null,
      commit: null,
      settings: null,
      durationMs: null,
      downtimeMs: null,
    } satisfies HistoryRecord,
  ];
}

function isoTime(time: string): string | null {
  const iso = time.replace(/^(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)$/, '$1-$2-$3T$4:$5:$6.000Z');
  const date = new Date(iso);
  return Number.isNaN(date.getTime()) || date.toISOString() !== iso ? null : iso;
}
