import {
  type BackupSet,
  type Catalogue,
  catalogueOf,
  type FoundFile,
  type VerifiedSet,
} from '../../../shared/sets/catalogue.ts';
import { folderOfTier, homeOf, type Tier } from '../../../shared/sets/layout.ts';
import type { BackupId, BackupKind, Manifest } from '../../../shared/sets/manifest.ts';
import { setFileNames, startOf } from '../../../shared/sets/naming.ts';
import type { PruneDecision } from '../../../shared/sets/retention.ts';
import { counted, moved } from '../table-count.ts';

const encoding = { format: 'custom', compression: 'zstd', encryption: 'none' } as const;

/** A manifest that passes every check, for tests to change. */
export function exampleManifest(id: BackupId, changes: Partial<Manifest> = {}): Manifest {
  const startedAt = (startOf(id) ?? new Date(0)).toISOString();
  return {
    version: 1,
    id,
    kind: 'scheduled',
    environment: 'prod',
    database: 'app',
    startedAt,
    finishedAt: startedAt,
    serverVersion: '15.18',
    pgDumpVersion: '15.18',
    encoding: 'UTF8',
    locale: 'en_US.utf8',
    ctype: 'en_US.utf8',
    localeProvider: 'libc',
    providerLocale: null,
    icuRules: null,
    bootstrapRole: 'app',
    serverSettings: {},
    dumpWarnings: [],
    ...encoding,
    file: setFileNames(homeOf(changes.kind ?? 'scheduled').prefix, id, { ...encoding, ...changes }).dump,
    sizeBytes: 1000,
    dumpBytes: 4000,
    sha256: 'a'.repeat(64),
    md5: 'b'.repeat(32),
    sealedFrom: null,
    tables: [counted('public', 'orders', 12)],
    sequences: [moved('public', 'orders_id_seq', '12', '13')],
    members: [{ extension: 'plpgsql', objects: ['language plpgsql'] }],
    largeObjects: 0,
    extensions: [{ name: 'plpgsql', version: '1.0' }],
    schemaSha256: 'c'.repeat(64),
    schemaChangedSince: null,
    release: {},
    runUrl: null,
    commit: null,
    actor: null,
    checks: ['archive', 'schema', 'globals', 'settings'].map((name) => ({
      name,
      result: 'passed',
      detail: '',
      ms: 12,
    })),
    ...changes,
  };
}

/** A verified set as the catalogue has it. */
export function verifiedSet(
  id: BackupId,
  folders: readonly Tier[],
  database = 'app',
  kind: BackupKind = 'scheduled',
): VerifiedSet {
  return {
    state: 'verified',
    id,
    database,
    manifest: exampleManifest(id, { database, kind }),
    folders: folders.map(folderOfTier),
  };
}

/** What is left of the sets once the decisions are carried out. */
export function afterPruning(sets: readonly BackupSet[], decisions: readonly PruneDecision[]): BackupSet[] {
  const deleted = new Set(
    decisions.filter(({ action }) => action === 'delete').map(({ tier, id }) => `${folderOfTier(tier)}/${id}`),
  );
  return sets
    .map((set) => ({ ...set, folders: set.folders.filter((folder) => !deleted.has(`${folder}/${set.id}`)) }))
    .filter((set) => set.folders.length > 0);
}

/** A backup directory in memory, which tests fill, damage and prune as a host would. */
export class HostFolder {
  readonly files = new Map<string, number>();
  readonly manifests = new Map<string, string>();

  /** Puts a set into tiers. */
  add(id: BackupId, tiers: readonly Tier[], database = 'app', kind: BackupKind = 'scheduled'): void {
    const manifest = exampleManifest(id, { database, kind });
    for (const tier of tiers) {
      const names = setFileNames(prefixIn(tier), id, manifest);
      const folder = folderOf(tier, id);
      for (const part of ['dump', 'report', 'schema', 'globals', 'settings', 'sha256', 'md5', 'manifest'] as const) {
        this.files.set(`${folder}/${names[part]}`, part === 'dump' ? manifest.sizeBytes : 100);
      }
      this.manifests.set(`${folder}/${names.manifest}`, JSON.stringify(manifest));
    }
  }

  /** Cuts off the dump of a set in one tier. */
  truncate(id: BackupId, tier: Tier, bytes: number): void {
    this.files.set(`${folderOf(tier, id)}/${setFileNames(prefixIn(tier), id, encoding).dump}`, bytes);
  }

  catalogue(): Catalogue {
    const files = [...this.files].map(([path, bytes]): FoundFile => ({ path, bytes }));
    return catalogueOf(files, this.manifests);
  }

  /** Deletes as decided, which takes every file of the set out of that tier. */
  prune(decisions: readonly PruneDecision[]): void {
    for (const { tier, id } of decisions.filter(({ action }) => action === 'delete')) this.remove(id, tier);
  }

  /** Every file of the set in that tier. */
  remove(id: BackupId, tier: Tier): void {
    const stem = `${folderOf(tier, id)}/${prefixIn(tier)}_${id}.`;
    for (const path of this.files.keys()) if (path.startsWith(stem)) this.files.delete(path);
    for (const path of this.manifests.keys()) if (path.startsWith(stem)) this.manifests.delete(path);
  }
}

function folderOf(tier: Tier, id: BackupId): string {
  return tier === 'predeployment' ? `${tier}/${id}` : folderOfTier(tier);
}

function prefixIn(tier: Tier): 'backup' | 'prerollback' {
  return tier === 'prerollback' ? 'prerollback' : 'backup';
}
