import { setsAfter } from '../shared/backups/publication-plan.ts';
import type { KeptBackup } from '../shared/backups/verified-backup.ts';
import { Failure, isFailure } from '../shared/failure.ts';
import { lockFile, offsiteLock } from '../shared/host/backup-folder.ts';
import type { Connection } from '../shared/host/connection.ts';
import type { BucketPlace } from '../shared/offsite/bucket-place.ts';
import { CopyProgress } from '../shared/offsite/copy-progress.ts';
import type { CopiedSet } from '../shared/offsite/copy-set.ts';
import type { FolderIds } from '../shared/offsite/folder-id.ts';
import { holdOffsite } from '../shared/offsite/hold-offsite.ts';
import { keepOffsite, type OffsiteOutcome } from '../shared/offsite/keep-offsite.ts';
import type { OffsiteTier } from '../shared/offsite/plan-copies.ts';
import { openS3Store } from '../shared/offsite/s3-store.ts';
import * as log from '../shared/runner/log.ts';
import type { VerifiedSet } from '../shared/sets/catalogue.ts';
import { addProof } from '../shared/sets/proof.ts';
import { readFiles } from '../shared/sets/read-files.ts';
import { namesOf, sidesOf } from '../shared/sets/read-sets.ts';
import { counted, formatBytes, listed } from '../shared/units.ts';
import { copyUri } from './copy-uri.ts';
import type { BackupInputs } from './inputs.ts';

/** One bad night is made up for in the next; many, in several. */
const mostCopies = 7;

/** Who copies, and from where. */
export interface CopyingRun {
  connection: Connection;
  inputs: BackupInputs;
  /** As `holderText` makes it. */
  holder: string;
  runUrl: string | null;
  signal: AbortSignal;
}

/** What came of the copies. */
export interface OffsiteResult {
  /** The copy of the new backup; null if the bucket does not hold it. */
  copied: CopiedSet | null;
  /** One sentence on the copies that other backup folders made; null if there are none. */
  others: string | null;
  /** Why the run is incomplete; empty if the bucket holds what it should. */
  problems: Failure[];
}

/**
 * Copies the new backup into the bucket, together with older ones that are missing there, and deletes copies that the policy no
 * longer keeps. Whatever fails here, the backups on the host stay as they are.
 * @param onCopied called as soon as the bucket holds the new backup: the run may be cancelled after that
 */
export async function copyOffsite(
  bucket: BucketPlace,
  kept: KeptBackup,
  run: CopyingRun,
  onCopied: (copy: CopiedSet) => void,
): Promise<OffsiteResult> {
  const { manifest } = kept.facts.publicationPlan;
  try {
    const title = `Copy to ${copyUri(bucket, run.inputs, kept)}`;
    const { copied, others, problems } = await log.group(title, () => copyUnderLock(bucket, kept, run, onCopied));
    return { copied: copied.find(({ id }) => id === manifest.id) ?? null, others, problems };
  } catch (error) {
    run.signal.throwIfAborted();
    if (!isFailure(error)) throw error;
    return { copied: null, others: null, problems: [error] };
  }
}

async function copyUnderLock(
  bucket: BucketPlace,
  kept: KeptBackup,
  run: CopyingRun,
  onCopied: (copy: CopiedSet) => void,
): Promise<OffsiteOutcome> {
  const { connection, inputs, holder, signal } = run;
  const { folderIds, release } = await holdOffsite(connection, {
    backupDir: inputs.backupDir,
    wait: inputs.lockWait,
    holder,
    longest: (mostCopies + 1) * inputs.timeout,
    signal,
    onLog: log.host,
    onWait: (other) => log.progress(`Waiting for the lock for off-site copies, held by ${other}`),
  });
  try {
    return await copySets(bucket, kept, folderIds, run, onCopied);
  } finally {
    if (!(await release()))
      log.warning(`The host did not confirm in time that it released ${offsiteLock(inputs.backupDir)}`);
  }
}

async function copySets(
  bucket: BucketPlace,
  { facts: { publicationPlan }, problems }: KeptBackup,
  folderIds: FolderIds,
  run: CopyingRun,
  onCopied: (copy: CopiedSet) => void,
): Promise<OffsiteOutcome> {
  const { connection, inputs, signal } = run;
  const { backupDir, timeout, timezone, environment, sealTo, upload, offsiteKeep } = inputs;
  const { id, database } = publicationPlan.manifest;
  const sets = setsAfter(publicationPlan);
  if (sealTo.length > 0) log.info(`Encrypted on the way, by this runner, for ${counted(sealTo.length, 'key')}`);
  const unnoted: Failure[] = [];
  const store = await openS3Store({ ...bucket, ...upload }, signal);
  try {
    const outcome = await keepOffsite(store, {
      prefix: bucket.prefix,
      environment,
      folderIds,
      sealTo,
      database,
      policy: offsiteKeep,
      timezone,
      now: new Date(),
      sets,
      newest: id,
      most: mostCopies,
      // As on the host: whoever lost data keeps what was there before.
      mayDelete: problems.length === 0,
      read: (set) =>
        readFiles(connection, { backupDir, set, names: namesToCopy(set), timeout, signal, onLog: log.host }),
      timeout,
      tagsOf: (set, tier) => ({ environment, tier: tierTag(set, tier) }),
      listener: (set) => new CopyProgress(log, set),
      onCopied: async (copy) => {
        if (copy.id === id) onCopied(copy);
        await noteCopy(copy, sets, run, unnoted);
      },
      signal,
    });
    outcome.problems.push(...unnoted);
    tellOutcome(outcome);
    return outcome;
  } finally {
    store.close();
  }
}

/** In this order: the list of checksums first, so that everything after it is compared; the manifest last, so that the set is whole. */
function namesToCopy(set: VerifiedSet): string[] {
  const names = namesOf(set);
  return [
    names.sha256,
    names.dump,
    ...sidesOf(set).map((side) => names[side]),
    names.report,
    names.md5,
    names.manifest,
  ];
}

/** For rules of the bucket that act on tags: the tier in which the bucket keeps the set for longest. */
function tierTag({ manifest }: VerifiedSet, tier: OffsiteTier): string {
  return tier === 'daily' && manifest.kind !== 'scheduled' ? manifest.kind : tier;
}

/** Writes into the set's proofs on the host that a copy exists, and how that is known. */
async function noteCopy(
  { id, uri, bytes, files }: CopiedSet,
  sets: readonly VerifiedSet[],
  { connection, inputs, holder, runUrl }: CopyingRun,
  problems: Failure[],
): Promise<void> {
  const set = sets.find((each) => each.id === id);
  if (set === undefined) return;
  const checks = Object.fromEntries(files.map(({ name, confirmation }) => [name, confirmation]));
  const lock = { path: lockFile(inputs.backupDir), wait: inputs.lockWait, holder };
  const note = { backupDir: inputs.backupDir, lock, records: [], onLog: log.host };
  try {
    const at = new Date().toISOString();
    await addProof(connection, set, { at, what: 'copy', result: 'passed', uri, checks, bytes, runUrl }, note);
  } catch (error) {
    if (!isFailure(error)) throw error;
    const what = `The copy of ${id} is whole, but could not be noted on the host: ${error.message}`;
    problems.push(new Failure(error.code, what, { ...(error.hint && { hint: error.hint }), cause: error }));
  }
}

function tellOutcome({ copied, deleted, retained, plain, unread, others }: OffsiteOutcome): void {
  for (const { id, bytes, files } of copied)
    log.success(`${id} is copied: ${counted(files.length, 'file')}, ${formatBytes(bytes)}`);
  if (deleted.length > 0) log.info(`Deleted from the bucket by its retention: ${deleted.join(', ')}`);
  if (retained.length > 0) log.info(`Due for deletion, but locked in the bucket: ${retained.join(', ')}`);
  for (const { id, why } of unread) log.warning(`The copy of ${id} counts for nothing, and is left alone: ${why}`);
  if (others !== null) log.warning(others);
  if (plain.length > 0)
    log.warning(
      `Not encrypted in the bucket, because an earlier run copied them: ${listed(plain, 3)}. If nobody may read them, delete them there; the next run copies those that are still on the host again, encrypted`,
    );
}
