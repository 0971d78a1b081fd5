// Runs that keep copies of a host's sets in a store in memory.
import { keepOffsite, type OffsiteRequest } from '../../../shared/offsite/keep-offsite.ts';
import { storedSets } from '../../../shared/offsite/stored-sets.ts';
import type { Manifest } from '../../../shared/sets/manifest.ts';
import { folderIds, sent, wholeSet } from './copied-sets.ts';
import type { MemoryStore } from './memory-store.ts';

export const day = (date: number, time = '021700') => `202611${String(date).padStart(2, '0')}_${time}`;
export const rules = {
  database: 'app',
  folderIds,
  policy: { daily: 3, weekly: 0, monthly: 0 },
  timezone: 'UTC',
  now: new Date('2026-11-27T03:00:00Z'),
} as const;

export type Host = ReadonlyMap<string, ReturnType<typeof wholeSet>>;

/** The sets of a host, newest first. */
export function hostWith(...sets: (string | [id: string, changes: Partial<Manifest>])[]): Host {
  const made = sets.map((each) => (typeof each === 'string' ? wholeSet(each) : wholeSet(...each)));
  return new Map(made.toSorted((a, b) => (a.set.id < b.set.id ? 1 : -1)).map((whole) => [whole.set.id, whole]));
}

export const setsOf = (host: Host) => [...host.values()].map(({ set }) => set);

export function keep(store: MemoryStore, host: Host, changes: Partial<OffsiteRequest> = {}) {
  return keepOffsite(store, {
    ...rules,
    prefix: 'backups',
    sealTo: [],
    environment: 'prod',
    sets: setsOf(host),
    newest: setsOf(host)[0]?.id ?? '',
    most: 7,
    timeout: 3_600_000,
    mayDelete: true,
    read: ({ id }) => sent(host.get(id)?.files ?? new Map()),
    listener: () => ({ begins: () => {}, arrived: () => {}, confirmed: () => {} }),
    signal: new AbortController().signal,
    ...changes,
  });
}

export const idsIn = async (store: MemoryStore) => (await storedSets(store, 'backups', 'prod')).map(({ id }) => id);
