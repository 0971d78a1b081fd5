import { isFailure } from '../shared/failure.ts';
import type { HistoryRecord } from '../shared/history/record.ts';
import type { Connection } from '../shared/host/connection.ts';
import { type PairingRequest, pairedSet, targetImages } from '../shared/plan/paired-set.ts';
import type { Plan, PlanNote } from '../shared/plan/plan.ts';
import { judgeSchema, type SchemaFinding, type SchemaVerdict } from '../shared/plan/schema-guard.ts';
import { targetSchema } from '../shared/plan/target-schema.ts';
import type { Wanted } from '../shared/plan/wanted-release.ts';
import { readTwoSchemas } from '../shared/restore/two-schemas.ts';
import * as log from '../shared/runner/log.ts';
import { catalogueOf } from '../shared/sets/catalogue.ts';
import { factsOf } from '../shared/sets/last-good.ts';
import type { Survey } from '../shared/survey/survey.ts';
import type { RollbackInputs } from './inputs.ts';

/** What was decided so far, besides the plan. */
export interface SchemaGround {
  seen: Survey;
  wanted: Wanted;
  /** Databases and stores that nobody named. */
  ignored: ReadonlySet<string>;
  /** The host's own records of this environment, in the order of their file. */
  records: readonly HistoryRecord[];
}

/** A verdict that may have to be made once more. */
export interface EarlyVerdict extends SchemaVerdict {
  /** Which images the target has is known only after the pull, and with that, which backup was taken while it ran. */
  isTooEarly: boolean;
}

/**
 * Compares the schema that the target ran with with that of the database now, in at most one round trip. Changes nothing.
 * @returns null if nobody needs to know: the guard is off, nothing is swapped, or the database goes back as well
 */
export async function guardSchema(
  connection: Connection,
  plan: Plan,
  ground: SchemaGround,
  inputs: RollbackInputs,
  signal: AbortSignal,
): Promise<EarlyVerdict | null> {
  const { schemaGuard: guard, planOnly, restore } = inputs;
  if (guard === 'off' || restore !== null || plan.services.length === 0) return null;
  const looked = await lookAtSchemas(connection, plan, ground, inputs, signal);
  if (looked === 'too-early') return { crossed: 'unknown', notes: [tooEarly], refusal: null, isTooEarly: true };
  const { finding, request, versions } = looked;
  const pairing = request === null ? { set: null, why: '', nearly: [] } : pairedSet(request);
  const verdict = { ...judgeSchema(finding, { guard, versions, pairing }), isTooEarly: false };
  const { refusal, notes } = verdict;
  if (!planOnly || refusal === null) return verdict;
  const text = `Without plan-only, this would be refused (${refusal.code}). ${refusal.hint?.replace('Nothing was stopped. ', '')}`;
  return { ...verdict, notes: [...notes, { level: 'warning', text }] };
}

const tooEarly: PlanNote = {
  level: 'info',
  text: "Whether the database schema has changed since the target ran is checked after the pull: the host does not have the target's images, and only their tags are known",
};

/**
 * Judges again after the pull, if it was too early before.
 * @throws Failure `schema-changed`; nothing was stopped
 */
export async function guardAfterPull(
  connection: Connection,
  early: EarlyVerdict | null,
  settled: Plan,
  ground: SchemaGround,
  inputs: RollbackInputs,
  signal: AbortSignal,
): Promise<Plan> {
  if (early?.isTooEarly !== true) return settled;
  const verdict = await guardSchema(connection, settled, ground, inputs, signal);
  if (verdict === null) return settled;
  for (const { level, text } of verdict.notes) {
    if (level === 'warning') log.warning(text);
    else log.info(text);
  }
  if (verdict.refusal !== null) throw verdict.refusal;
  const notes = [...settled.notes.filter(({ text }) => text !== tooEarly.text), ...verdict.notes];
  return { ...settled, notes };
}

interface Looked {
  finding: SchemaFinding;
  /** For the backup that belongs to the target; null if the backups are not known. */
  request: PairingRequest | null;
  versions: { before: string; after: string };
}

async function lookAtSchemas(
  connection: Connection,
  plan: Plan,
  { seen, wanted, ignored, records }: SchemaGround,
  { backupDir, environment }: RollbackInputs,
  signal: AbortSignal,
): Promise<Looked | 'too-early'> {
  const nothing = (why: string, request: PairingRequest | null = null): Looked => ({
    finding: { kind: 'unknown', why },
    request,
    versions: { before: '', after: '' },
  });
  const live = factsOf(seen);
  const [candidate, ...others] = seen.candidates;
  if (live === null || candidate === undefined || others.length > 0) return nothing('the database does not answer');
  const { sets } = seen;
  if (sets === null || 'error' in sets) return nothing('the backups on the host could not be listed');
  const request: PairingRequest = {
    sets: catalogueOf(sets.files, sets.manifests).sets,
    database: live.database,
    environment,
    target: targetImages(plan, wanted, ignored),
  };
  const target = targetSchema(request, records);
  const isPulled = plan.services.every(({ toImage }) => toImage.digest !== null || toImage.imageId !== null);
  if (target === null && !isPulled) return 'too-early';
  if (target === null)
    return nothing('the host has no backup with a schema that was taken while the target ran', request);
  const server = { container: candidate.container, user: live.user, database: live.database, access: live.access };
  const finding = await readTwoSchemas(connection, server, target, { backupDir, signal, onLog: log.host }).catch(
    (error): SchemaFinding => {
      if (!isFailure(error) || error.code === 'cancelled') throw error;
      return { kind: 'unknown', why: `it could not be read: ${error.message}` };
    },
  );
  const written = target.file?.manifest;
  return {
    finding,
    request,
    versions: { before: writer(written), after: writer(live) },
  };
}

/** Which major versions of the server and of pg_dump write a schema. */
function writer(versions: { serverVersion: string; pgDumpVersion: string } | undefined): string {
  const { serverVersion = '', pgDumpVersion = '' } = versions ?? {};
  const majors = [serverVersion, pgDumpVersion].map((version) => /^\d+/.exec(version)?.[0] ?? version);
  return [...new Set(majors)].join(' with the tools of ');
}
