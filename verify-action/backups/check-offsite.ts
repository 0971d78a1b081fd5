import { createHash } from 'node:crypto';
import { isFailure } from '../../shared/failure.ts';
import type { ObjectStore } from '../../shared/offsite/object-store.ts';
import { openS3Store } from '../../shared/offsite/s3-store.ts';
import { storedSets } from '../../shared/offsite/stored-sets.ts';
import * as log from '../../shared/runner/log.ts';
import { verifiedSetsOf } from '../../shared/sets/catalogue.ts';
import { detailOf, type Findings } from '../finding.ts';
import type { SurveyedHost, Verification } from '../surveyed-host.ts';
import { type Copy, type CopyContent, copiesOf, judgeOffsite } from './judge-offsite.ts';

/** Bytes of a dump that is read in full where the store reports no checksum. A larger one is read by `drill-from: s3`. */
const mostRead = 256 * 1024 * 1024;

/** Checks the copies off the host, if there is a bucket. */
export async function checkOffsite(
  findings: Findings,
  database: string,
  { catalogue, sets, now }: SurveyedHost,
  { inputs, signal }: Verification,
): Promise<void> {
  const { bucket, environment, requireOffsite: isRequired, maxBackupAge: maxAge } = inputs;
  if (bucket === null) return;
  let store: ObjectStore | undefined;
  try {
    store = await openS3Store(bucket, signal);
    const stored = await storedSets(store, bucket.prefix, environment);
    const host = verifiedSetsOf(database, catalogue.sets);
    const [newest] = copiesOf(database, stored);
    judgeOffsite(findings, {
      place: store.uri(`${bucket.prefix}/${environment}`),
      database,
      stored,
      newest: newest === undefined ? null : await contentOf(store, newest),
      host,
      hostFiles: sets.files,
      wanted: host.filter(({ folders }) => folders.some((folder) => copied.has(folder))).map(({ id }) => id),
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

/** Folders of the tiers that are copied. */
const copied = new Set<string>(['daily', 'weekly', 'monthly']);

async function contentOf(store: ObjectStore, { id, files, manifest }: Copy): Promise<CopyContent> {
  const key = files.find(({ name }) => name === manifest.file)?.key ?? '';
  const facts = await store.facts(key);
  if (facts?.sha256 != null) return { id, how: 'reported', sha256: facts.sha256 };
  if (manifest.sizeBytes > mostRead) return { id, how: 'size', sha256: null };
  log.progress(`Reading ${store.uri(key)}`);
  const hash = createHash('sha256');
  for await (const piece of (await store.read(key)) ?? []) hash.update(piece as Buffer);
  return { id, how: 'read', sha256: hash.digest('hex') };
}
