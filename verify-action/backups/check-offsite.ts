import { type Failure, isFailure } from '../../shared/failure.ts';
import type { ObjectStore } from '../../shared/offsite/object-store.ts';
import { planCopies } from '../../shared/offsite/plan-copies.ts';
import { openS3Store } from '../../shared/offsite/s3-store.ts';
import { contentsOf } from '../../shared/offsite/stored-sets.ts';
import * as log from '../../shared/runner/log.ts';
import { verifiedSetsOf } from '../../shared/sets/catalogue.ts';
import { detailOf, type Findings } from '../finding.ts';
import type { SurveyedHost, Verification } from '../surveyed-host.ts';
import { type Copy, type CopyReading, copiesOf, judgeOffsite } from './judge-offsite.ts';
import { readCopy } from './read-copy.ts';

/** Bytes of a dump that is read in full without `require-offsite`, where the store reports no checksum: reading costs money. */
const mostRead = 256 * 1024 * 1024;

/** Checks the copies off the host, if there is a bucket. */
export async function checkOffsite(
  findings: Findings,
  database: string,
  { catalogue, sets, now }: SurveyedHost,
  { inputs, signal }: Verification,
): Promise<void> {
  const { bucket, environment, requireOffsite: isRequired, maxBackupAge: maxAge, timezone } = inputs;
  if (bucket === null) return;
  let store: ObjectStore | undefined;
  try {
    store = await openS3Store(bucket, signal);
    const { sets: stored, parts } = await contentsOf(store, bucket.prefix, environment);
    const host = verifiedSetsOf(database, catalogue.sets);
    const [newest] = copiesOf(database, stored);
    judgeOffsite(findings, {
      place: store.uri(`${bucket.prefix}/${environment}`),
      database,
      stored,
      parts,
      newest: newest === undefined ? null : await readNewest(store, newest, isRequired, signal),
      host,
      hostFiles: sets.files,
      missing: planCopies(host, stored, '', host.length, { database, policy: inputs.offsiteKeep, timezone, now }),
      isRequired,
      maxAge,
      now,
    });
  } catch (error) {
    if (!isFailure(error) || signal.aborted) throw error;
    findings.unable('off-site newest', detailOf(error), error.hint ?? null);
  } finally {
    store?.close();
  }
}

/** What else was found of the copies is told even if this one cannot be read. */
async function readNewest(
  store: ObjectStore,
  newest: Copy,
  isRequired: boolean,
  signal: AbortSignal,
): Promise<CopyReading | Failure> {
  try {
    const most = isRequired ? Number.POSITIVE_INFINITY : mostRead;
    return await readCopy(store, newest, most, (uri) => log.progress(`The store reports no checksum: reading ${uri}`));
  } catch (error) {
    if (!isFailure(error) || signal.aborted) throw error;
    return error;
  }
}
