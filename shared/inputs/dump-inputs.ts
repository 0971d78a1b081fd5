import type { RowCounts } from '../backups/verification.ts';
import { InputError } from '../failure.ts';
import * as grammar from '../runner/grammar.ts';
import type { InputReader } from '../runner/input-reader.ts';
import { recipientsIn } from '../sets/age-keys.ts';
import type { Compression, DumpFormat } from '../sets/manifest.ts';

/** How to take a dump: the inputs shared by all actions that take a backup. */
export interface DumpInputs {
  format: DumpFormat;
  compression: Compression | 'auto';
  /** null for the usual level of the compressor. */
  compressionLevel: number | null;
  encryption: 'none' | 'age';
  /** Public keys; empty if nothing is encrypted. */
  recipients: string[];
  rowCounts: RowCounts;
  timezone: string;
  /** Bytes. */
  minFreeSpace: number;
}

/** Reads them from the workflow. Call it within `readInputs`. */
export function readDumpInputs(input: InputReader): DumpInputs {
  const compression = input.withDefault('compression', grammar.choice('auto', 'zstd', 'gzip', 'none'), 'auto');
  const compressionLevel = input.optional('compression-level', grammar.integer({ min: 1, max: 19 }));
  input.rule(() => checkLevel(compression, compressionLevel));
  const encryption = input.withDefault('encrypt', grammar.choice('none', 'age'), 'none');
  const recipients = input.optional('encrypt-to', recipientList) ?? [];
  input.rule(() => checkRecipients(encryption, recipients));
  return {
    format: input.withDefault('format', grammar.choice('custom', 'plain'), 'custom'),
    compression,
    compressionLevel,
    encryption,
    recipients,
    rowCounts: input.withDefault('row-counts', grammar.choice('exact', 'estimate', 'off'), 'exact'),
    timezone: input.withDefault('timezone', grammar.timeZone, 'UTC'),
    minFreeSpace: input.withDefault('min-free-space', grammar.size, 1024 ** 3),
  };
}

const recipientHint =
  'Give public keys, one a line: age1… as age-keygen prints it, or ssh-ed25519 and ssh-rsa keys. Lines that begin with # are comments';

/** It may hold a private key by mistake, so its value is never shown. */
const recipientList: grammar.Grammar<string[]> = {
  hint: recipientHint,
  parse(value) {
    try {
      return recipientsIn(value);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new InputError('encrypt-to', error.message, recipientHint);
    }
  },
};

/** Undefined if it could not be read; that has been reported by then. */
function checkRecipients(encryption: DumpInputs['encryption'], recipients: readonly string[]): void {
  if (encryption === 'age' && recipients?.length === 0) {
    throw new InputError('encrypt-to', 'is required with encrypt: age', recipientHint);
  }
  if (encryption === 'none' && recipients?.length > 0) {
    throw new InputError('encrypt-to', 'is given, but nothing is to be encrypted', 'Set "encrypt" to age as well');
  }
}

/** A level has a meaning only for a given compressor, and each has its own range. */
function checkLevel(compression: DumpInputs['compression'], level: number | null): void {
  if (level === null) return;
  if (compression === 'auto' || compression === 'none') {
    throw new InputError(
      'compression-level',
      `has no meaning for compression "${compression}"`,
      'Set "compression" to zstd or gzip as well',
    );
  }
  if (compression === 'gzip' && level > 9) {
    throw new InputError('compression-level', `is ${level}, but gzip has levels 1 to 9`, 'Give a number from 1 to 9');
  }
}
