import { createHash } from 'node:crypto';
import type { DatabaseFacts } from '../postgres/probe.ts';
import type { Release } from '../releases/release.ts';
import { stableSchemaHash } from '../report/schema-changes.ts';
import { homeOf } from '../sets/layout.ts';
import type { BackupKind, Check, Manifest, ManifestSummary } from '../sets/manifest.ts';
import { manifestText } from '../sets/manifest-text.ts';
import { type DumpEncoding, setFileNames } from '../sets/naming.ts';
import { isSettingName } from '../sets/read-manifest.ts';
import type { Sums, TakenDump } from './take.ts';

/** What the manifest says of a backup besides its dump. */
export interface ManifestFacts {
  kind: BackupKind;
  environment: string;
  database: DatabaseFacts;
  encoding: DumpEncoding;
  startedAt: Date;
  finishedAt: Date;
  release: Release;
  runUrl: string | null;
  commit: string | null;
  actor: string | null;
  /** The previous verified backup of the database. */
  previous: ManifestSummary | null;
  /** Checks of the set as a whole. */
  checks: readonly Check[];
}

/** The manifest of a verified dump. */
export function manifestOf(dump: TakenDump, facts: ManifestFacts): Manifest {
  const schemaSha256 = dump.schemaText === null ? null : stableSchemaHash(dump.schemaText);
  const changed = facts.previous !== null && schemaSha256 !== null && facts.previous.schemaSha256 !== schemaSha256;
  return {
    version: 1,
    id: dump.id,
    kind: facts.kind,
    environment: facts.environment,
    database: facts.database.database,
    startedAt: facts.startedAt.toISOString(),
    finishedAt: facts.finishedAt.toISOString(),
    serverVersion: facts.database.serverVersion,
    pgDumpVersion: facts.database.pgDumpVersion,
    encoding: facts.database.encoding,
    locale: facts.database.locale,
    ctype: facts.database.ctype,
    localeProvider: facts.database.localeProvider,
    providerLocale: facts.database.providerLocale,
    bootstrapRole: facts.database.bootstrapRole,
    ...facts.encoding,
    file: dump.file,
    sizeBytes: dump.sizeBytes,
    dumpBytes: dump.dumpBytes,
    ...dump.sums,
    sealedFrom: null,
    tables: dump.tables,
    sequences: dump.sequences,
    members: dump.members,
    largeObjects: dump.largeObjects,
    // What may be long stands behind the lists, where a survey reads more than before them.
    icuRules: facts.database.icuRules,
    serverSettings: fewSettings(facts.database.serverSettings),
    dumpWarnings: dump.warnings,
    extensions: dump.extensions,
    schemaSha256,
    schemaChangedSince: changed ? (facts.previous?.id ?? null) : null,
    release: facts.release,
    runUrl: facts.runUrl,
    commit: facts.commit,
    actor: facts.actor,
    checks: [...dump.verification, ...dump.sides, ...facts.checks],
  };
}

const mostSettings = 100;
const longestSetting = 500;

/** Only as many as a survey still reads; a library may have any number of settings, as long as anybody likes. */
function fewSettings(settings: Record<string, string>): Record<string, string> {
  const short = Object.entries(settings).filter(
    ([name, value]) => isSettingName(name) && value.length <= longestSetting && !/[\0\n]/.test(value),
  );
  // The server's own settings come first, so that the limit never drops them. Those of a library have a dot in their names.
  return Object.fromEntries(
    short.toSorted(([a], [b]) => Number(a.includes('.')) - Number(b.includes('.'))).slice(0, mostSettings),
  );
}

/** The files beside the dump that are written here, by bare name: manifest, report and the checksums of all files. */
export function sidecarsOf(dump: TakenDump, manifest: Manifest, report: string): Map<string, string> {
  const names = setFileNames(homeOf(manifest.kind).prefix, dump.id, manifest);
  const texts = new Map([
    [names.manifest, manifestText(manifest)],
    [names.report, report],
  ]);
  const sums = new Map<string, Sums>([[names.dump, dump.sums]]);
  if (dump.schemaSums) sums.set(names.schema, dump.schemaSums);
  if (dump.globalsSums) sums.set(names.globals, dump.globalsSums);
  if (dump.settingsSums) sums.set(names.settings, dump.settingsSums);
  for (const [name, text] of texts) sums.set(name, { sha256: hash('sha256', text), md5: hash('md5', text) });

  // In the format that `sha256sum --check` reads.
  const list = (kind: keyof Sums) => [...sums].map(([name, sum]) => `${sum[kind]}  ${name}\n`).join('');
  return new Map([...texts, [names.sha256, list('sha256')], [names.md5, list('md5')]]);
}

function hash(algorithm: 'sha256' | 'md5', text: string): string {
  return createHash(algorithm).update(text).digest('hex');
}
