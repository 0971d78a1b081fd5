import { detailOf, type Findings } from '../../shared/drill/finding.ts';
import { Failure, isFailure } from '../../shared/failure.ts';
import type { BucketPlace } from '../../shared/offsite/bucket-place.ts';
import { isOurs, othersIn } from '../../shared/offsite/folder-id.ts';
import type { ObjectStore } from '../../shared/offsite/object-store.ts';
import { planCopies } from '../../shared/offsite/plan-copies.ts';
import { openS3Store } from '../../shared/offsite/s3-store.ts';
import { contentsOf } from '../../shared/offsite/stored-sets.ts';
import * as log from '../../shared/runner/log.ts';
import { verifiedSetsOf } from '../../shared/sets/catalogue.ts';
import { demandFolderIds } from '../../shared/survey/survey-sets.ts';
import { formatDuration } from '../../shared/units.ts';
import type { VerifyInputs } from '../inputs.ts';
import type { SurveyedHost, Verification } from '../surveyed-host.ts';
import { copiesOf, judgeOffsite } from './judge-offsite.ts';
import { readCopy } from './read-copy.ts';

/** Bytes of a dump that is read in full without `require-offsite`, where the store reports no checksum: reading costs money. */
const mostRead = 256 * 1024 * 1024;

/** Checks the copies off the host. */
export async function checkOffsite(
  findings: Findings,
  database: string,
  surveyed: SurveyedHost,
  bucket: BucketPlace,
  { inputs, signal }: Verification,
): Promise<void> {
  const { timeout } = inputs;
  const overdue = AbortSignal.timeout(timeout);
  /** What the bucket failed with; anything else that is thrown is a defect of ours. */
  const failureOf = (error: unknown): Failure => {
    signal.throwIfAborted();
    if (overdue.aborted) return tooLong(timeout);
    if (isFailure(error)) return error;
    throw error;
  };
  const store = await openS3Store(bucket, AbortSignal.any([signal, overdue]));
  try {
    await checkCopies(findings, { ...surveyed, database, store, place: bucket, inputs, failureOf });
  } catch (error) {
    const failure = failureOf(error);
    findings.unable('off-site newest', detailOf(failure), failure.hint ?? null);
  } finally {
    store.close();
  }
}

interface Copies extends Pick<SurveyedHost, 'catalogue' | 'sets' | 'now'> {
  database: string;
  store: ObjectStore;
  place: BucketPlace;
  inputs: VerifyInputs;
  failureOf: (error: unknown) => Failure;
}

async function checkCopies(
  findings: Findings,
  { database, catalogue, sets, now, store, place, inputs, failureOf }: Copies,
): Promise<void> {
  const { environment, requireOffsite: isRequired, maxBackupAge: maxAge, timezone, offsiteKeep: policy } = inputs;
  const folderIds = demandFolderIds(sets, inputs.backupDir);
  const { sets: all, parts } = await contentsOf(store, place.prefix, environment);
  const others = othersIn(all, { database, folderIds });
  if (others !== null) log.notice(others);
  const stored = all.filter((set) => isOurs(set.folderId, folderIds));
  const host = verifiedSetsOf(database, catalogue.sets);
  const [newest] = copiesOf(database, stored);
  const most = isRequired ? Number.POSITIVE_INFINITY : mostRead;
  const tell = (uri: string) => log.progress(`The store reports no checksum: reading ${uri}`);
  judgeOffsite(findings, {
    place: store.uri(`${place.prefix}/${environment}`),
    database,
    stored,
    parts,
    // The other findings on the copies are reported even if this one cannot be read.
    newest: newest === undefined ? null : await readCopy(store, newest, most, tell).catch(failureOf),
    host,
    hostFiles: sets.files,
    missing: planCopies(host, stored, '', host.length, { database, folderIds, policy, timezone, now }),
    isRequired,
    maxAge,
    now,
  });
}

function tooLong(timeout: number): Failure {
  return new Failure('deadline', `The bucket could not be read within ${formatDuration(timeout)}`, {
    hint: 'Raise "timeout", or find out what slows down the connection to the store',
  });
}
