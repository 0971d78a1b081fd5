import { InputError } from '../failure.ts';
import type { OffsitePolicy } from '../offsite/plan-copies.ts';
import type { UploadSettings } from '../offsite/s3-upload.ts';
import * as grammar from '../runner/grammar.ts';
import type { InputReader } from '../runner/input-reader.ts';
import type { RetentionPolicy } from '../sets/tiers.ts';
import { demandNothing, type OffsiteInputs } from './offsite-inputs.ts';
import { readOffsiteKeep } from './offsite-keep-inputs.ts';

/** How to make copies of backups off the host, and which to keep there. */
export interface CopyInputs {
  upload: UploadSettings;
  offsiteKeep: OffsitePolicy;
}

const storageClass: grammar.Grammar<string> = {
  hint: 'Give a storage class such as STANDARD_IA or STANDARD, as the store names it.',
  parse: (value) => grammar.matching(value, /^[A-Z][A-Z0-9_]{0,40}$/, 'is not a storage class'),
};

const kmsKey: grammar.Grammar<string> = {
  hint: 'Give the id, the alias or the ARN of a KMS key.',
  parse: (value) => grammar.matching(value, /^[A-Za-z0-9:/_-]{1,2048}$/, 'is not a KMS key'),
};

/** A store allows 10 for each object, and two are ours. */
const mostTags = 8;
const ownTags = ['environment', 'tier'];

const tag: grammar.Grammar<readonly [name: string, value: string]> = {
  hint: 'Give tags such as team=shop, or none.',
  parse(value) {
    const [, name = '', text = ''] = /^([^=]+)=(.*)$/.exec(value) ?? [];
    const trimmed = name.trim();
    const isTag =
      /^(?!aws:)[\p{L}\p{N} _.:/+@-]{1,128}$/u.test(trimmed) && /^[\p{L}\p{N} _.:/=+@-]{0,256}$/u.test(text);
    if (!isTag) throw new RangeError('is not a tag, or has a character that tags cannot have');
    return [trimmed, text.trim()];
  },
};

const tags: grammar.Grammar<ReadonlyMap<string, string> | 'none'> = {
  hint: grammar.lines(tag).hint,
  parse(value) {
    if (value === 'none') return value;
    const given = grammar.lines(tag).parse(value);
    const names = given.map(([name]) => name);
    if (names.some((name) => ownTags.includes(name)))
      throw new RangeError(`sets ${ownTags.join(' or ')}, which are set already`);
    if (new Set(names).size < names.length) throw new RangeError('names a tag twice');
    if (names.length > mostTags) throw new RangeError(`has more than ${mostTags} tags`);
    return new Map(given);
  },
};

/**
 * Reads them from the workflow. Call it within `readInputs`.
 * @param keep what to keep on the host: the bucket keeps the same unless its own inputs say otherwise
 */
export function readCopyInputs(input: InputReader, offsite: OffsiteInputs, keep: RetentionPolicy): CopyInputs {
  const { bucket } = offsite;
  const given = {
    'storage-class': input.optional('s3-storage-class', storageClass),
    sse: input.optional('s3-sse', grammar.choice('AES256', 'aws:kms', 'aws:kms:dsse')),
    'kms-key': input.optional('s3-kms-key', kmsKey),
    tags: input.optional('s3-tags', tags),
    'max-parts': input.optional('s3-max-parts', grammar.integer({ min: 1, max: 10_000 })),
  };
  input.rule(() => {
    // undefined where it was bad: that is reported already.
    if (bucket === null) demandNothing(given);
    if (given['kms-key'] !== null && given.sse === null)
      throw new InputError('s3-kms-key', 'has no effect without "s3-sse"', 'Give s3-sse: aws:kms as well');
    if (given['kms-key'] !== null && given.sse === 'AES256')
      throw new InputError('s3-kms-key', 'has no effect with s3-sse: AES256', 'Give s3-sse: aws:kms, or no key');
  });
  const isAws = bucket?.endpoint === null;
  return {
    upload: {
      // Other stores refuse classes and tags that they do not have.
      storageClass: given['storage-class'] ?? (isAws ? 'STANDARD_IA' : null),
      sse: given.sse,
      kmsKey: given['kms-key'],
      tags: tagsToSend(given.tags, isAws),
      maxParts: given['max-parts'],
    },
    offsiteKeep: readOffsiteKeep(input, offsite, keep),
  };
}

function tagsToSend(given: ReadonlyMap<string, string> | 'none' | null, isAws: boolean): UploadSettings['tags'] {
  if (given === 'none' || (given === null && !isAws)) return null;
  return Object.fromEntries(given ?? []);
}
