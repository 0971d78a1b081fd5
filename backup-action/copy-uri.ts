import type { KeptBackup } from '../shared/backups/verified-backup.ts';
import type { BucketPlace } from '../shared/offsite/bucket-place.ts';
import { keyOfDump } from '../shared/offsite/keys.ts';
import type { BackupInputs } from './inputs.ts';

/** The address that the new dump has in the bucket, or will have. */
export function copyUri(
  bucket: BucketPlace,
  { environment, sealTo }: Pick<BackupInputs, 'environment' | 'sealTo'>,
  { facts }: KeptBackup,
): string {
  const key = keyOfDump({ prefix: bucket.prefix, environment, sealTo }, facts.publicationPlan.manifest);
  return `s3://${bucket.bucket}/${key}`;
}
