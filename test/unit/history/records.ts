import type { HistoryRecord } from '../../../shared/history/record.ts';
import type { Release, RunningImage } from '../../../shared/releases/release.ts';

/** 64 hex digits that stand for a word, the same each time. */
export function hex(word: string): string {
  return Buffer.from(word).toString('hex').padEnd(64, '0').slice(0, 64);
}

/** What a service runs that was pulled from the registry: `web:v2`. */
export function image(name: string): RunningImage {
  const [service = '', tag = ''] = name.split(':');
  return {
    image: `ghcr.io/acme/${service}:${tag}`,
    tag,
    digest: `sha256:${hex(`d-${name}`)}`,
    imageId: `sha256:${hex(`i-${name}`)}`,
  };
}

/** A release in short: `release('api:v2', 'web:v2')`. */
export function release(...names: string[]): Release {
  return Object.fromEntries(names.map((name) => [name.split(':')[0] ?? '', image(name)]));
}

let count = 0;

/** A record that is valid but for what is changed. Each call's is one minute younger. */
export function record(changes: Partial<HistoryRecord> = {}): HistoryRecord {
  count += 1;
  return {
    version: 1,
    id: `${count}-1-0123abcd`,
    at: new Date(Date.UTC(2026, 10, 1) + count * 60_000).toISOString(),
    environment: 'prod',
    event: 'observed',
    status: 'succeeded',
    verdict: 'unknown',
    release: release('web:v1'),
    previous: null,
    schemaSha256: null,
    backupId: null,
    restoredId: null,
    reason: null,
    actor: null,
    runUrl: null,
    commit: null,
    settings: null,
    durationMs: null,
    downtimeMs: null,
    ...changes,
  };
}
