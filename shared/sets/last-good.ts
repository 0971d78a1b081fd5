import { isFailure } from '../failure.ts';
import type { LastGood } from '../notify/notice.ts';
import { type DatabaseFacts, readProbe } from '../postgres/probe.ts';
import type { Survey } from '../survey/survey.ts';
import { type Catalogue, catalogueOf, verifiedSetsOf } from './catalogue.ts';
import { startOf } from './naming.ts';

/** What the database says of itself; null if it does not answer. */
export function factsOf({ probe }: Survey): DatabaseFacts | null {
  if (probe === null || 'error' in probe) return null;
  try {
    return readProbe(probe.output);
  } catch (error) {
    if (isFailure(error)) return null;
    throw error;
  }
}

/**
 * The database's name, also if the database is lost: that is when its backups matter most.
 * @param given by the workflow; null: none
 */
export function databaseIn(seen: Survey, catalogue: Catalogue, given: string | null): string | null {
  const newest = catalogue.sets.find((set) => set.state === 'verified')?.database ?? null;
  return factsOf(seen)?.database ?? given ?? newest;
}

/** The newest verified backup that a survey saw, and of which database. */
export function lastGoodIn(seen: Survey, given: string | null): { database: string | null; lastGood: LastGood } {
  const { sets } = seen;
  if (sets === null || 'error' in sets) return { database: factsOf(seen)?.database ?? given, lastGood: 'unknown' };
  const catalogue = catalogueOf(sets.files, sets.manifests);
  const database = databaseIn(seen, catalogue, given);
  const newest = database === null ? undefined : verifiedSetsOf(database, catalogue.sets)[0];
  return { database, lastGood: newest === undefined ? 'none' : goodBackup(newest.id) };
}

/** A backup that is verified, by its id. */
export function goodBackup(id: string): LastGood {
  const takenAt = startOf(id);
  return takenAt === null ? 'unknown' : { id, takenAt };
}
