import type { RowCounts } from '../backups/verification.ts';
import { InputError } from '../failure.ts';
import * as grammar from '../runner/grammar.ts';
import type { InputReader } from '../runner/input-reader.ts';
import type { Compression, DumpFormat } from '../sets/manifest.ts';
import { type EncryptionInputs, readEncryptionInputs } from './encryption-inputs.ts';

/** How to take a dump: the inputs shared by all actions that take a backup. */
export interface DumpInputs extends EncryptionInputs {
  format: DumpFormat;
  compression: Compression | 'auto';
  /** null for the usual level of the compressor. */
  compressionLevel: number | null;
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
  return {
    format: input.withDefault('format', grammar.choice('custom', 'plain'), 'custom'),
    compression,
    compressionLevel,
    ...readEncryptionInputs(input),
    rowCounts: input.withDefault('row-counts', grammar.choice('exact', 'estimate', 'off'), 'exact'),
    timezone: input.withDefault('timezone', grammar.timeZone, 'UTC'),
    minFreeSpace: input.withDefault('min-free-space', grammar.size, 1024 ** 3),
  };
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
