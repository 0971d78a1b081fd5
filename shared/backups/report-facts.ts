import { reportOf } from '../report/report.ts';
import { type RestorePlace, restoreCommands } from '../report/restore-command.ts';
import { compareSchemas, type SchemaChange } from '../report/schema-changes.ts';
import type { SizePoint } from '../report/size-chart.ts';
import type { ManifestSummary } from '../sets/manifest.ts';
import type { PublicationPlan } from './publication-plan.ts';
import type { TakenDump } from './take.ts';

/** What the report and the job summary say about a backup that was kept. */
export interface ReportFacts {
  publicationPlan: PublicationPlan;
  dump: TakenDump;
  previous: ManifestSummary | null;
  place: RestorePlace;
  /** `deploy@host` */
  hostName: string;
  minSizeRatio: number;
}

/** The report beside the dump. */
export function reportText(reportFacts: ReportFacts): string {
  const { publicationPlan, place, previous, hostName, minSizeRatio } = reportFacts;
  return reportOf(publicationPlan.manifest, {
    problems: publicationPlan.problems,
    host: hostName,
    folder: place.folder,
    previous,
    schemaChanges: schemaChangesIn(reportFacts),
    tiers: publicationPlan.tiers,
    sizes: sizesIn(reportFacts),
    minSizeRatio,
    restore: restoreCommands(publicationPlan.manifest, place),
  });
}

/** The sizes of all verified sets of the database, including the new one. */
export function sizesIn({ publicationPlan }: ReportFacts): SizePoint[] {
  return publicationPlan.sets.map(({ id, manifest }) => ({ id, bytes: manifest.sizeBytes, kind: manifest.kind }));
}

/** null if there is nothing to compare. */
export function schemaChangesIn({ dump, previous, publicationPlan }: ReportFacts): SchemaChange[] | null {
  const { schemaText, previousSchemaText } = dump;
  if (schemaText === null || previousSchemaText === null) return null;
  return previous?.schemaSha256 === publicationPlan.manifest.schemaSha256
    ? []
    : compareSchemas(previousSchemaText, schemaText);
}
