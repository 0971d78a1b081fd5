import { InputError } from '../failure.ts';
import type { BucketPlace } from '../offsite/bucket-place.ts';
import * as grammar from '../runner/grammar.ts';
import type { InputReader } from '../runner/input-reader.ts';

/** Where copies of backups are kept off the host. */
export interface OffsiteInputs {
  /** null: nowhere. */
  bucket: BucketPlace | null;
}

const bucketName: grammar.Grammar<string> = {
  hint: 'Give the name of the bucket alone, such as acme-backups.',
  parse: (value) => grammar.matching(value, /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'is not the name of a bucket'),
};

const prefix: grammar.Grammar<string> = {
  hint: 'Give folders such as atlasia-backups or backups/shop, without a slash at either end.',
  parse: (value) =>
    grammar.matching(
      value,
      // Servers and libraries read . and .. as they like.
      /^(?!(.*\/)?\.{1,2}(\/|$))[A-Za-z0-9!_.*'()-]+(\/[A-Za-z0-9!_.*'()-]+)*$/,
      'is not a prefix of folders',
    ),
};

const region: grammar.Grammar<string> = {
  hint: 'Give a region such as eu-central-1.',
  parse: (value) => grammar.matching(value, /^[a-z0-9][a-z0-9-]{0,62}$/, 'is not a region'),
};

/** As one copies it from the page of a provider: it would become part of every key. */
function demandNoBucket(endpoint: URL | null, bucket: string): void {
  if (!endpoint?.pathname.replace(/\/+$/, '').endsWith(`/${bucket}`)) return;
  throw new InputError('s3-endpoint', 'ends with the name of the bucket', `Give it without /${bucket}`);
}

/** Reads them from the workflow. Call it within `readInputs`. */
export function readOffsiteInputs(input: InputReader): OffsiteInputs {
  const bucket = input.optional('s3-bucket', bucketName);
  const place = {
    prefix: input.withDefault('s3-prefix', prefix, 'atlasia-backups'),
    region: input.optional('s3-region', region),
    endpoint: input.optional('s3-endpoint', grammar.safeUrl),
  };
  return input.rule(() => {
    if (bucket !== null) {
      demandNoBucket(place.endpoint, bucket);
      return { bucket: { bucket, ...place } };
    }
    demandNothing({ region: place.region, endpoint: place.endpoint });
    return { bucket: null };
  });
}

/** Without a bucket, nothing else of it may be given. @param given by name without `s3-`; null for what was not given */
export function demandNothing(given: Readonly<Record<string, unknown>>): void {
  const [name] = Object.entries(given).find(([, value]) => value != null) ?? [];
  if (name === undefined) return;
  throw new InputError('s3-bucket', `is missing, although "s3-${name}" was given`, 'Give the name of the bucket');
}
