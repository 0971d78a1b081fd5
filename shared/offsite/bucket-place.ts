/** Where to keep copies of backups. */
export interface BucketPlace {
  bucket: string;
  /** Names of objects begin with it and a slash. */
  prefix: string;
  /** null: taken from the environment, like AWS's own tools do. */
  region: string | null;
  /** Address of a store other than AWS; null for AWS. */
  endpoint: URL | null;
}

/** For people: `"bucket" at s3.example.com`. */
export function nameOf({ bucket, endpoint }: Pick<BucketPlace, 'bucket' | 'endpoint'>): string {
  return `"${bucket}" at ${endpoint?.host ?? 'S3'}`;
}
