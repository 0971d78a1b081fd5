import type { RetentionPolicy } from '../shared/backups/tiers.ts';
import { InputError } from '../shared/failure.ts';
import * as grammar from '../shared/runner/grammar.ts';
import { type HostInputs, inFolder, readHostInputs } from '../shared/runner/host-inputs.ts';
import { readInputs } from '../shared/runner/inputs.ts';

/** What the workflow asks of a backup. */
export interface BackupInputs extends HostInputs {
  kind: 'scheduled' | 'predeployment';
  format: 'custom' | 'plain';
  compression: 'auto' | 'zstd' | 'gzip' | 'none';
  /** null for the compressor's usual one. */
  compressionLevel: number | null;
  rowCounts: 'exact' | 'estimate' | 'off';
  timezone: string;
  /** Bytes. */
  minFreeSpace: number;
  /** 0 to 1. */
  minSizeRatio: number;
  keep: RetentionPolicy;
  /** Absolute, on the host. */
  logFile: string;
}

/** @throws InputError, or a Failure that lists several */
export function readBackupInputs(): BackupInputs {
  return readInputs((input) => {
    const host = readHostInputs(input);
    const compression = input.withDefault('compression', grammar.choice('auto', 'zstd', 'gzip', 'none'), 'auto');
    const compressionLevel = input.optional('compression-level', grammar.integer({ min: 1, max: 19 }));
    input.rule(() => checkLevel(compression, compressionLevel));
    return {
      ...host,
      kind: input.withDefault('kind', grammar.choice('scheduled', 'predeployment'), 'scheduled'),
      format: input.withDefault('format', grammar.choice('custom', 'plain'), 'custom'),
      compression,
      compressionLevel,
      rowCounts: input.withDefault('row-counts', grammar.choice('exact', 'estimate', 'off'), 'exact'),
      timezone: input.withDefault('timezone', grammar.timeZone, 'UTC'),
      minFreeSpace: input.withDefault('min-free-space', grammar.size, 1024 ** 3),
      minSizeRatio: input.withDefault('min-size-ratio', grammar.decimal({ min: 0, max: 1 }), 0.5),
      keep: {
        daily: input.withDefault('keep-daily', grammar.allOrNumber, 7),
        weekly: input.withDefault('keep-weekly', grammar.allOrNumber, 4),
        monthly: input.withDefault('keep-monthly', grammar.allOrNumber, 'all'),
        predeployment: input.withDefault('keep-predeployment', grammar.allOrNumber, 30),
      },
      logFile: inFolder(host.deployDir, input.withDefault('log-file', grammar.anyPath, `${host.backupDir}/backup.log`)),
    };
  });
}

/** A level means nothing without its compressor, and each has its own. */
function checkLevel(compression: BackupInputs['compression'], level: number | null): void {
  if (level === null) return;
  if (compression === 'auto' || compression === 'none') {
    throw new InputError(
      'compression-level',
      `is given for compression "${compression}"`,
      'Set "compression" to zstd or gzip as well',
    );
  }
  if (compression === 'gzip' && level > 9) {
    throw new InputError('compression-level', `is ${level}, and gzip has 1 to 9`, 'Give a number from 1 to 9');
  }
}
