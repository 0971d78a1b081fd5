import { type CopyInputs, readCopyInputs } from '../shared/inputs/copy-inputs.ts';
import { type DumpInputs, readDumpInputs } from '../shared/inputs/dump-inputs.ts';
import { type HistoryInputs, readHistoryInputs } from '../shared/inputs/history-inputs.ts';
import { type HostInputs, inFolder, readHostInputs } from '../shared/inputs/host-inputs.ts';
import { readNoticeInputs } from '../shared/inputs/notice-inputs.ts';
import { type OffsiteInputs, readOffsiteInputs } from '../shared/inputs/offsite-inputs.ts';
import { type RetentionInputs, readRetentionInputs } from '../shared/inputs/retention-inputs.ts';
import { readSealingInputs, type SealingInputs } from '../shared/inputs/sealing-inputs.ts';
import type { OnNoticeInputs } from '../shared/notify/addressed.ts';
import * as grammar from '../shared/runner/grammar.ts';
import { readInputs } from '../shared/runner/input-reader.ts';

/** The inputs of a backup, as the workflow gives them. */
export interface BackupInputs
  extends HostInputs,
    DumpInputs,
    SealingInputs,
    HistoryInputs,
    RetentionInputs,
    OffsiteInputs,
    CopyInputs {
  kind: 'scheduled' | 'predeployment';
  /** 0 to 1. */
  minSizeRatio: number;
  /** Removes the hold on deployments that a rollback has set. */
  releaseHold: boolean;
  /** Absolute, on the host. */
  logFile: string;
}

/** @throws InputError, or a Failure that lists several */
export function readBackupInputs(onNotices: OnNoticeInputs = () => {}): BackupInputs {
  return readInputs((input) => {
    const host = readHostInputs(input);
    readNoticeInputs(input, host, onNotices);
    const retention = readRetentionInputs(input);
    const offsite = readOffsiteInputs(input);
    const dump = readDumpInputs(input);
    return {
      ...host,
      kind: input.withDefault('kind', grammar.choice('scheduled', 'predeployment'), 'scheduled'),
      ...dump,
      ...readSealingInputs(input, dump, offsite?.bucket !== null),
      ...readHistoryInputs(input),
      releaseHold: input.withDefault('release-hold', grammar.boolean, false),
      minSizeRatio: input.withDefault('min-size-ratio', grammar.decimal({ min: 0, max: 1 }), 0.5),
      ...retention,
      ...offsite,
      ...readCopyInputs(input, offsite, retention.keep),
      logFile: inFolder(host.deployDir, input.withDefault('log-file', grammar.anyPath, `${host.backupDir}/backup.log`)),
    };
  });
}
