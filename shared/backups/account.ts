import type { ManifestSummary } from './manifest.ts';
import { reportOf } from './report.ts';
import { type RestorePlace, restoreCommands } from './restore-command.ts';
import { compareSchemas, type SchemaChange } from './schema-changes.ts';
import type { Settlement } from './settlement.ts';
import type { SizePoint } from './size-chart.ts';
import type { TakenDump } from './take.ts';

/** What is told of a backup that was kept, to whoever reads the report or the job's summary. */
export interface Account {
  settlement: Settlement;
  dump: TakenDump;
  previous: ManifestSummary | null;
  place: RestorePlace;
  /** `deploy@host` */
  target: string;
  minSizeRatio: number;
}

/** The report that stands beside the dump. */
export function reportText(account: Account): string {
  const { settlement, place, previous, target, minSizeRatio } = account;
  return reportOf(settlement.manifest, {
    problems: settlement.problems,
    host: target,
    folder: place.folder,
    previous,
    schemaChanges: schemaChangesIn(account),
    tiers: settlement.tiers,
    sizes: sizesIn(account),
    minSizeRatio,
    restore: restoreCommands(settlement.manifest, place),
  });
}

/** Of every verified set of the database, the new one among them. */
export function sizesIn({ settlement }: Account): SizePoint[] {
  return settlement.sets.map(({ id, manifest }) => ({ id, bytes: manifest.sizeBytes, kind: manifest.kind }));
}

/** null where there is nothing to compare with. */
export function schemaChangesIn({ dump, previous, settlement }: Account): SchemaChange[] | null {
  const { schemaText, previousSchemaText } = dump;
  if (schemaText === null || previousSchemaText === null) return null;
  return previous?.schemaSha256 === settlement.manifest.schemaSha256
    ? []
    : compareSchemas(previousSchemaText, schemaText);
}
