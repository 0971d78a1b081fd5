import { Findings, type Problem } from '../../shared/drill/finding.ts';
import { calendarIn } from '../../shared/sets/calendar.ts';
import {
  type BackupSet,
  type Catalogue,
  type FoundFile,
  pathsOf,
  type VerifiedSet,
  verifiedSetsOf,
} from '../../shared/sets/catalogue.ts';
import { allTiers, folderOfTier } from '../../shared/sets/layout.ts';
import { parseSetFileName, startOf } from '../../shared/sets/naming.ts';
import { namesOf, type ReadSet, sidesOf } from '../../shared/sets/read-sets.ts';
import { counted, formatBytes, formatDuration, listed } from '../../shared/units.ts';
import { judgeTiers, type TierFacts } from './judge-tiers.ts';

/** How many of the newest sets are read in full: reading all of them could take hours. */
export const setsToRead = 3;
/** Same as the default of backup-action's `min-size-ratio`. */
const leastRatio = 0.5;
/** How many days back each day should have a backup, if that many are kept. */
const watchedDays = 7;
const day = 24 * 3_600_000;
/** How far clocks may differ, as when a backup is taken. */
const greatestSkew = 5 * 60_000;

/** The facts by which the backups of one database are judged. */
export interface BackupFacts extends TierFacts {
  /** Every file in the backup folders, whether it belongs to a set or not. */
  files: readonly FoundFile[];
  /** How many more foreign files there are; only if there are too many to list. */
  othersUnnamed: number;
  /** The sets that were read in full, or the reason why they could not be read. */
  readings: readonly ReadSet[] | { why: string; remedy: string | null };
  backupDir: string;
  /** Milliseconds. */
  maxAge: number;
}

/** Checks that the backups exist, are recent and still hold what was written. Only a drill proves that they restore. */
export function judgeBackups(facts: BackupFacts): Findings {
  const findings = new Findings('backups');
  const { database, catalogue, backupDir, now } = facts;
  const verified = verifiedSetsOf(database, catalogue.sets);
  findings.check('newest', () => judgeAge(verified, facts));
  findings.check('complete', () => judgeComplete(facts));
  judgeReadings(findings, verified, facts);
  findings.after('newest', 'nightly', () => judgeNightly(verified, facts), 'warning');
  judgeSizes(findings, verified);
  if (verified.length === 0) findings.blocked('days', 'newest');
  else findings.check('days', () => judgeDays(verified, facts), 'warning');
  findings.check('tiers', () => judgeTiers(facts), 'warning');
  if (verified.length + catalogue.failed.length === 0) findings.blocked('last run', 'newest');
  else findings.check('last run', () => judgeLastRun(catalogue, verified, backupDir));
  findings.check('leftovers', () => judgeLeftovers(catalogue, now), 'warning');
  findings.check('other files', () => describeForeign(catalogue, facts.othersUnnamed));
  return findings;
}

/** Milliseconds since the backup began. */
export function ageOf({ id }: VerifiedSet, now: Date): number {
  return now.getTime() - (startOf(id)?.getTime() ?? 0);
}

function judgeAge(
  [newest]: readonly VerifiedSet[],
  { database, maxAge, now, backupDir }: BackupFacts,
): string | Problem {
  if (newest === undefined) {
    return {
      detail: `there is no verified backup of "${database}" in ${backupDir}`,
      remedy:
        'Start the workflow that has backup-action. If there should be a backup already, check "backup-dir" and "db-name"',
    };
  }
  const age = ageOf(newest, now);
  if (age < -greatestSkew)
    return {
      detail: `${newest.id} is dated in the future`,
      remedy: 'Check the clock of the host: timedatectl. Take a backup now',
    };
  if (age <= maxAge) return `${newest.id} is ${formatDuration(Math.max(0, age))} old`;
  return {
    detail: `${newest.id} is ${formatDuration(age)} old; the limit is ${formatDuration(maxAge)} (max-backup-age)`,
    remedy: 'Run backup-action now. Then find out why the nightly run did not: see its workflow under Actions',
  };
}

function judgeComplete({ catalogue, files, backupDir }: BackupFacts): string | Problem {
  const { sets, foreign } = catalogue;
  const paths = new Set(files.map(({ path }) => path));
  const faults = [
    ...sets.flatMap((set) => (set.state === 'broken' ? [`${nameOf(set)}: ${set.reason}`] : missingOf(set, paths))),
    // Named like our files but without a manifest: somebody has deleted the manifest.
    ...foreign
      .filter(({ path }) => allTiers.some((tier) => path.startsWith(`${folderOfTier(tier)}/`)))
      .flatMap(({ path }) => {
        const part = parseSetFileName(path.slice(path.lastIndexOf('/') + 1))?.part;
        return part === 'dump' ? [`${path} has no manifest`] : [];
      }),
  ];
  if (faults.length === 0) return `${counted(sets.length, 'set')}, each with every file that its manifest lists`;
  return {
    detail: listed(faults, 5, { separator: '; ' }),
    remedy: `Look at ${backupDir} on the host, and take a backup now. Retention never deletes such sets`,
  };
}

/** The files missing beside the dump, in each folder of the set. */
function missingOf(set: VerifiedSet, paths: ReadonlySet<string>): string[] {
  const names = namesOf(set);
  const wanted = [names.report, names.sha256, names.md5, ...sidesOf(set).map((side) => names[side])];
  return pathsOf(set).flatMap((place) =>
    wanted.filter((name) => !paths.has(`${place}/${name}`)).map((name) => `${place}/${name} is missing`),
  );
}

const nameOf = ({ id, folders }: BackupSet) => `${folders.join(', ')}/${id}`;

function judgeReadings(
  findings: Findings,
  verified: readonly VerifiedSet[],
  { readings, backupDir }: BackupFacts,
): void {
  if (verified.length === 0) findings.blocked('read in full', 'newest');
  else if ('why' in readings) findings.unable('read in full', readings.why, readings.remedy);
  else findings.check('read in full', () => judgeRead(readings, verified, backupDir));
}

function judgeRead(
  readings: readonly ReadSet[],
  verified: readonly VerifiedSet[],
  backupDir: string,
): string | Problem {
  const bad = readings.filter(({ faults }) => faults.length > 0);
  if (bad.length > 0) {
    return {
      detail: bad.map(({ id, faults }) => `${id}: ${faults.join(', ')}`).join('; '),
      remedy: `Do not rely on ${bad.map(({ id }) => id).join(', ')}. Check the disk under ${backupDir}, and take a backup now`,
    };
  }
  const bytesOf = (sets: readonly VerifiedSet[]) => sets.reduce((sum, { manifest }) => sum + manifest.sizeBytes, 0);
  const ids = new Set(readings.map(({ id }) => id));
  const read = bytesOf(verified.filter(({ id }) => ids.has(id)));
  const all = bytesOf(verified);
  if (readings.length === verified.length)
    return `${verified.length === 1 ? 'the only set' : `all ${verified.length} sets`}, byte by byte (${formatBytes(all)})`;
  const share = `${formatBytes(read)} of ${formatBytes(all)}, ${Math.floor((100 * read) / Math.max(1, all))} %`;
  return `the newest ${readings.length} of ${verified.length} sets, byte by byte (${share}); the others only by size and manifest`;
}

/** GitHub disables schedules in inactive repositories. Backups before deployments would hide that no nightly one runs. */
function judgeNightly(verified: readonly VerifiedSet[], { maxAge, now }: BackupFacts): string | Problem {
  const newest = verified.find(({ manifest }) => manifest.kind === 'scheduled');
  const remedy =
    'Under Actions, check the workflow of the nightly backup: in a public repository, GitHub disables its schedule after 60 days without activity';
  if (newest === undefined) return { detail: 'no backup comes from a scheduled run', remedy };
  const age = ageOf(newest, now);
  if (age <= maxAge) return `${newest.id} comes from a scheduled run`;
  return { detail: `the newest from a scheduled run, ${newest.id}, is ${formatDuration(age)} old`, remedy };
}

/** Compares file sizes if both are compressed alike, otherwise the sizes before compression. Needs two backups. */
function judgeSizes(findings: Findings, [newest, previous]: readonly VerifiedSet[]): void {
  if (newest === undefined || previous === undefined) return;
  const isAlike = newest.manifest.compression === previous.manifest.compression;
  const [size, before] = [newest, previous].map(({ manifest }) => (isAlike ? manifest.sizeBytes : manifest.dumpBytes));
  if (size == null || before == null) return;
  findings.check('sizes', () => {
    const sizes = `${newest.id} has ${formatBytes(size)}, ${previous.id} has ${formatBytes(before)}${isAlike ? '' : ' before compression'}`;
    if (size >= leastRatio * before) return sizes;
    return { detail: `${sizes}: less than half`, remedy: 'Check whether data is missing: compare the two reports' };
  });
}

/** The given number of days, newest first, ending with `last`. Uses calendar days, as not every day has 24 hours. */
function daysBefore(last: string, count: number): string[] {
  const noon = Date.parse(`${last}T12:00:00Z`);
  return Array.from({ length: count }, (_, back) => new Date(noon - back * day).toISOString().slice(0, 10));
}

/** Every day that the daily tier covers, since the first backup, must have one. Today's may still come. */
function judgeDays(verified: readonly VerifiedSet[], { timezone, keep, now }: BackupFacts): string | Problem {
  const reach = keep.daily === 'all' ? watchedDays : Math.min(watchedDays, keep.daily);
  if (reach === 0) return 'no days are kept (keep-daily)';
  const calendar = calendarIn(timezone);
  const days = new Set(verified.map(({ id }) => calendar.day(startOf(id) ?? new Date(0))));
  const first = [...days].toSorted()[0];
  if (first === undefined) return 'there is no backup';
  // Today counts as one of the kept days only once it has a backup.
  const today = calendar.day(now);
  const watched = daysBefore(today, reach + 1)
    .slice(days.has(today) ? 0 : 1)
    .slice(0, reach);
  const past = watched.filter((each) => each >= first);
  const missed = past.filter((each) => !days.has(each)).toSorted();
  if (past.length === 0)
    return {
      detail: `the first backup is dated ${first}, which is in the future`,
      remedy: 'Check the clock of the host: timedatectl',
    };
  if (missed.length === 0) {
    const since = past.length < reach ? `; the first is from ${first}` : '';
    return `${past.length === 1 ? 'the last day' : `each of the last ${past.length} days`} has a backup${since}`;
  }
  return {
    detail: `no backup on ${missed.join(', ')}`,
    remedy: 'See the runs of those nights under Actions, or in backup.log on the host',
  };
}

function judgeLastRun({ failed }: Catalogue, [newest]: readonly VerifiedSet[], backupDir: string): string | Problem {
  const [last] = failed;
  if (last === undefined || (newest !== undefined && newest.id > last))
    return 'the newest dump passed its verification';
  return {
    detail: `the dump ${last} failed its verification`,
    remedy: `See ${backupDir}/failed/failed_${last}.reason.txt on the host, then run backup-action again`,
  };
}

/** Partial files older than a day are leftovers; younger ones may belong to a run that is still going. */
function judgeLeftovers({ partial }: Catalogue, now: Date): string | Problem {
  const isOld = (path: string) => {
    const start = startOf(/\.partial-(\d{8}_\d{6})/.exec(path)?.[1] ?? '');
    return start === null || now.getTime() - start.getTime() > day;
  };
  const old = partial.filter(({ path }) => isOld(path));
  if (old.length === 0) return 'none';
  return {
    detail: `an interrupted run left ${listed(
      old.map(({ path }) => path),
      1,
    )}`,
    remedy: 'The next backup removes what is left',
  };
}

/** Foreign files are no fault. They are listed here and never touched. */
function describeForeign({ foreign }: Catalogue, unnamed: number): string {
  if (foreign.length === 0) return 'every file in the backup folder is ours';
  const bytes = foreign.reduce((sum, file) => sum + file.bytes, 0);
  const count = foreign.length + unnamed;
  const named = listed(
    foreign.map(({ path }) => path),
    5,
    { total: count },
  );
  const size = `${unnamed > 0 ? 'more than ' : ''}${formatBytes(bytes)}`;
  return `${counted(count, 'foreign file')}, ${size}, never touched: ${named}`;
}
