import type { KeptBackup } from '../shared/backups/verified-backup.ts';
import type { LastGood, ReportedCopy, RunReport } from '../shared/notify/notice.ts';
import type { CopiedSet } from '../shared/offsite/copy-set.ts';
import { dumpNotes } from '../shared/report/dump-notes.ts';
import { goodBackup } from '../shared/sets/last-good.ts';
import { formatBytes } from '../shared/units.ts';
import type { BackupOutputs } from './outputs.ts';

/** What a run has come to know, for those who are told of it. */
export interface BackupStory {
  database: string | null;
  /** Before this run. */
  lastGood: LastGood;
  /** null until a verified backup is published. */
  kept: KeptBackup | null;
  /** The off-site copy; null if none was asked for. */
  offsite: ReportedCopy | null;
}

export const noStory = (): BackupStory => ({ database: null, lastGood: 'unknown', kept: null, offsite: null });

/** @param uri where the dump lies, or should; `copied` is null if it does not */
export function reportedCopy(uri: string, copied: CopiedSet | null): ReportedCopy {
  const dump = copied?.files.find(({ name }) => uri.endsWith(`/${name}`));
  return {
    uri,
    copied: copied !== null,
    sha256: dump?.sha256 ?? null,
    confirmation: dump?.confirmation ?? null,
  };
}

/** Also before a deployment, which may go on, an incomplete backup is none that a watcher should be content with. */
export function backupReport({ database, lastGood, kept, offsite }: BackupStory, { status }: BackupOutputs): RunReport {
  if (kept === null) {
    const nothing = { outcome: null, remarks: [], backup: null, checks: [], restored: null, recoveryMs: null };
    return { verdict: 'success', database, lastGood, offsite, ...nothing };
  }
  const { publicationPlan, place } = kept.facts;
  const { manifest } = publicationPlan;
  const { id, sizeBytes, sha256, file } = manifest;
  return {
    verdict: status === 'incomplete' ? 'incomplete' : 'success',
    outcome: `Backup ${id} of "${manifest.database}" is verified: ${formatBytes(sizeBytes)}${status === 'incomplete' ? ', but the run is incomplete' : ''}`,
    remarks: [...kept.problems, ...dumpNotes(manifest)],
    database: manifest.database,
    backup: { id, sizeBytes, sha256, file: `${place.folder}/${file}` },
    lastGood: goodBackup(id),
    offsite,
    checks: manifest.checks.map((check) => ({ ...check, group: 'backup', severity: 'error' })),
    restored: null,
    recoveryMs: null,
  };
}
