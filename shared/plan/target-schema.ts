import type { HistoryRecord } from '../history/record.ts';
import { type VerifiedSet, verifiedSetsOf } from '../sets/catalogue.ts';
import { sidesOf } from '../sets/read-sets.ts';
import { type PairingRequest, ranAs, setsOfTarget } from './paired-set.ts';

/** Where the schema is that a target ran with. */
export interface TargetSchema {
  /** The hash of it; null if its manifest does not say. */
  sha256: string | null;
  /** A set whose schema file it is, and can be read without a key; null if there is none. */
  file: VerifiedSet | null;
  /** Continues "what has changed cannot be told: …". Empty if there is a file. */
  whyNoFile: string;
}

/**
 * The schema of the newest set that was taken while the target ran, of whatever kind; if there is none, that of the newest record
 * in the history which says that the target ran. A schema file is as good as any other with the same hash.
 * @param records the host's own, in the order of their file
 * @returns null if no set has it
 */
export function targetSchema(request: PairingRequest, records: readonly HistoryRecord[]): TargetSchema | null {
  const sets = verifiedSetsOf(request.database, request.sets).filter(
    ({ manifest }) => manifest.environment === request.environment,
  );
  const known = setsOfTarget(request).find((set) => set.manifest.schemaSha256 !== null || isReadable(set));
  const set = known ?? fromHistory(request, sets, records);
  if (set === null) return null;
  const { schemaSha256: sha256, encryption } = set.manifest;
  const file = isReadable(set)
    ? set
    : (sets.find((other) => sha256 !== null && other.manifest.schemaSha256 === sha256 && isReadable(other)) ?? null);
  if (sha256 === null && file === null) return null;
  const why = encryption === 'age' ? `the schema file of ${set.id} is encrypted` : `${set.id} has no schema file`;
  return { sha256, file, whyNoFile: file === null ? why : '' };
}

function isReadable(set: VerifiedSet): boolean {
  return set.manifest.encryption === 'none' && sidesOf(set).includes('schema');
}

/** A record names the backup that saw its schema, and the schema by its hash. One of a rollback saw what its target then ran with. */
function fromHistory(
  { target, environment }: PairingRequest,
  sets: readonly VerifiedSet[],
  records: readonly HistoryRecord[],
): VerifiedSet | null {
  const record = records.findLast(
    ({ environment: of, status, event, release, schemaSha256, backupId, restoredId }) =>
      of === environment &&
      status === 'succeeded' &&
      event !== 'drill' &&
      event !== 'restore' &&
      // Its backup has the schema that was replaced.
      restoredId === null &&
      (schemaSha256 !== null || backupId !== null) &&
      ranAs(release, target),
  );
  if (record === undefined) return null;
  const named = sets.find(({ id }) => id === record.backupId);
  const alike = sets.find(
    ({ manifest }) => record.schemaSha256 !== null && manifest.schemaSha256 === record.schemaSha256,
  );
  return named ?? alike ?? null;
}
