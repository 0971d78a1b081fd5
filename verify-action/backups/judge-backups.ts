import { calendarIn } from '../../shared/sets/calendar.ts';
import {
  type BackupSet,
  type Catalogue,
  type FoundFile,
  placesOf,
  type VerifiedSet,
  verifiedSetsOf,
} from '../../shared/sets/catalogue.ts';
import { allTiers, folderOfTier } from '../../shared/sets/layout.ts';
import { parseSetFileName, startOf } from '../../shared/sets/naming.ts';
import { namesOf, type ReadSet, sidesOf } from '../../shared/sets/read-sets.ts';
import { counted, formatBytes, formatDuration, listed } from '../../shared/units.ts';
import { Findings, type Problem } from '../finding.ts';
import { judgeTiers, type TierFacts } from './judge-tiers.ts';

/** So many of the newest sets are read in full; to read all of them could take hours. */
export const setsToRead = 3;
/** As backup-action's `min-size-ratio`. */
const leastRatio = 0.5;
/** So many days back each should have a backup, if so many are kept. */
const watchedDays = 7;
const day = 24 * 3_600_000;
/** As a backup allows it. */
const greatestSkew = 5 * 60_000;

/** What the backups of one database are judged by. */
export interface BackupFacts extends TierFacts {
  /** Every file of the sets, and others in the backup folders. */
  files: readonly FoundFile[];
  /** Files of others besides those, where there are very many. */
  othersUnnamed: number;
  /** Those that were read in full; null with the reason where they could not be. */
  readings: readonly ReadSet[] | { why: string; remedy: string | null };
  backupDir: string;
  /** Milliseconds. */
  maxAge: number;
}

/** Whether the backups are there, young enough, and what was written; whether they restore, only a restore proves. */
export function judgeBackups(facts: BackupFacts): Findings {
  const findings = new Findings('backups');
  const { database, catalogue, backupDir, now } = facts;
  const verified = verifiedSetsOf(database, catalogue.sets);
  findings.check('newest', () => judgeAge(verified, facts));
  findings.check('complete', () => judgeComplete(facts));
  judgeReadings(findings, verified, facts);
  findings.after('newest', 'nightly', () => judgeNightly(verified, facts), 'warning');
  judgeSizes(findings, verified);
  findings.check('days', () => judgeDays(verified, facts), 'warning');
  findings.check('tiers', () => judgeTiers(facts), 'warning');
  if (verified.length + catalogue.failed.length === 0)
    findings.unable('last run', 'there is no verified backup of this database', 'Run backup-action');
  else findings.check('last run', () => judgeLastRun(catalogue, verified, backupDir));
  findings.check('leftovers', () => judgeLeftovers(catalogue, now), 'warning');
  findings.check('other files', () => tellForeign(catalogue, facts.othersUnnamed));
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
      remedy: 'Run backup-action. If there should be one, check "backup-dir" and "db-name"',
    };
  }
  const age = ageOf(newest, now);
  if (age < -greatestSkew)
    return {
      detail: `${newest.id} is of the future`,
      remedy: 'See the clock of the host: timedatectl. Take a backup now',
    };
  if (age <= maxAge) return `${newest.id} is ${formatDuration(Math.max(0, age))} old`;
  return {
    detail: `${newest.id} is ${formatDuration(age)} old; at most ${formatDuration(maxAge)} is wanted (max-backup-age)`,
    remedy: 'Run backup-action now, then see why the nightly run did not: Actions, in the list of workflows',
  };
}

function judgeComplete({ catalogue, files, backupDir }: BackupFacts): string | Problem {
  const { sets, foreign } = catalogue;
  const paths = new Set(files.map(({ path }) => path));
  const faults = [
    ...sets.flatMap((set) => (set.state === 'broken' ? [`${nameOf(set)}: ${set.reason}`] : missingOf(set, paths))),
    // Named as ours are, and without a manifest: somebody has deleted that.
    ...foreign
      .filter(({ path }) => allTiers.some((tier) => path.startsWith(`${folderOfTier(tier)}/`)))
      .flatMap(({ path }) => {
        const part = parseSetFileName(path.slice(path.lastIndexOf('/') + 1))?.part;
        return part === 'dump' ? [`${path} has no manifest`] : [];
      }),
  ];
  if (faults.length === 0) return `${counted(sets.length, 'set')}, each with all that its manifest says`;
  return {
    detail: listed(faults, 5, { separator: '; ' }),
    remedy: `Such sets are never deleted by retention. See ${backupDir} on the host, and take a backup now`,
  };
}

/** What should stand beside the dump, in each folder of the set. */
function missingOf(set: VerifiedSet, paths: ReadonlySet<string>): string[] {
  const names = namesOf(set);
  const wanted = [names.report, names.sha256, names.md5, ...sidesOf(set).map((side) => names[side])];
  return placesOf(set).flatMap((place) =>
    wanted.filter((name) => !paths.has(`${place}/${name}`)).map((name) => `${place}/${name} is missing`),
  );
}

const nameOf = ({ id, folders }: BackupSet) => `${folders.join(', ')}/${id}`;

function judgeReadings(
  findings: Findings,
  verified: readonly VerifiedSet[],
  { readings, backupDir }: BackupFacts,
): void {
  if (verified.length === 0) findings.unable('read in full', 'there is nothing to read', 'Run backup-action');
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
      remedy: `Do not rely on ${bad.map(({ id }) => id).join(', ')}. Look at the disk of ${backupDir}, and take a backup now`,
    };
  }
  const bytesOf = (sets: readonly VerifiedSet[]) => sets.reduce((sum, { manifest }) => sum + manifest.sizeBytes, 0);
  const ids = new Set(readings.map(({ id }) => id));
  const read = bytesOf(verified.filter(({ id }) => ids.has(id)));
  const all = bytesOf(verified);
  const share = `${formatBytes(read)} of ${formatBytes(all)}, ${Math.floor((100 * read) / Math.max(1, all))} %`;
  const rest = readings.length < verified.length ? '; the others by size and manifest alone' : '';
  return `the newest ${readings.length} of ${verified.length} sets, byte by byte (${share})${rest}`;
}

/** A backup before a deployment hides that the schedule has stopped: GitHub ends schedules of repositories that sleep. */
function judgeNightly(verified: readonly VerifiedSet[], { maxAge, now }: BackupFacts): string | Problem {
  const newest = verified.find(({ manifest }) => manifest.kind === 'scheduled');
  const remedy = 'See Actions, the workflow of the nightly backup: GitHub disables it after 60 days without a commit';
  if (newest === undefined) return { detail: 'no backup was taken by a schedule', remedy };
  const age = ageOf(newest, now);
  if (age <= maxAge) return `${newest.id} is of a scheduled run`;
  return { detail: `the newest of a scheduled run, ${newest.id}, is ${formatDuration(age)} old`, remedy };
}

/** Of two that are compressed in the same way their files are compared, else what was compressed; nothing of a first one. */
function judgeSizes(findings: Findings, [newest, previous]: readonly VerifiedSet[]): void {
  if (newest === undefined || previous === undefined) return;
  const isAlike = newest.manifest.compression === previous.manifest.compression;
  const [size, before] = [newest, previous].map(({ manifest }) => (isAlike ? manifest.sizeBytes : manifest.dumpBytes));
  if (size == null || before == null) return;
  findings.check('sizes', () => {
    const told = `${newest.id} has ${formatBytes(size)}, ${previous.id} has ${formatBytes(before)}${isAlike ? '' : ' before compression'}`;
    if (size >= leastRatio * before) return told;
    return { detail: `${told}: less than half`, remedy: 'See whether data are missing: compare the two reports' };
  });
}

/** So many days up to one, which comes first: counted in the calendar, as not every day has 24 hours. */
function daysBefore(last: string, count: number): string[] {
  const noon = Date.parse(`${last}T12:00:00Z`);
  return Array.from({ length: count }, (_, back) => new Date(noon - back * day).toISOString().slice(0, 10));
}

/** From the first backup on, every day that the daily tier reaches back to; today may still get its own. */
function judgeDays(verified: readonly VerifiedSet[], { timezone, keep, now }: BackupFacts): string | Problem {
  const reach = keep.daily === 'all' ? watchedDays : Math.min(watchedDays, keep.daily);
  if (reach === 0) return 'no days are kept (keep-daily)';
  const calendar = calendarIn(timezone);
  const days = new Set(verified.map(({ id }) => calendar.day(startOf(id) ?? new Date(0))));
  const first = [...days].toSorted()[0];
  if (first === undefined) return { detail: 'no day has a backup', remedy: 'Run backup-action' };
  // Of the days that are kept, today is one as soon as it has its own.
  const today = calendar.day(now);
  const watched = daysBefore(today, reach + 1)
    .slice(days.has(today) ? 0 : 1)
    .slice(0, reach);
  const past = watched.filter((each) => each >= first);
  const missed = past.filter((each) => !days.has(each)).toSorted();
  if (past.length === 0)
    return {
      detail: `the first backup is of ${first}, which has not come yet`,
      remedy: 'See the clock of the host: timedatectl',
    };
  if (missed.length === 0) {
    const since = past.length < reach ? `; the first is of ${first}` : '';
    return `each of the last ${counted(past.length, 'day')} has one${since}`;
  }
  return {
    detail: `no backup of ${missed.join(', ')}`,
    remedy: 'See the runs of those nights: Actions, or backup.log on the host',
  };
}

function judgeLastRun({ failed }: Catalogue, [newest]: readonly VerifiedSet[], backupDir: string): string | Problem {
  const [last] = failed;
  if (last === undefined || (newest !== undefined && newest.id > last))
    return 'the newest dump passed its verification';
  return {
    detail: `the dump ${last} failed its verification`,
    remedy: `See ${backupDir}/failed/failed_${last}.reason.txt on the host, and run backup-action again`,
  };
}

/** What a run that is at work writes is no leftover. */
function judgeLeftovers({ partial }: Catalogue, now: Date): string | Problem {
  const isOld = (path: string) => {
    const start = startOf(/\.partial-(\d{8}_\d{6})/.exec(path)?.[1] ?? '');
    return start === null || now.getTime() - start.getTime() > day;
  };
  const old = partial.filter(({ path }) => isOld(path));
  if (old.length === 0) return 'none of a run that was cut off';
  return {
    detail: `${listed(
      old.map(({ path }) => path),
      1,
    )} of a run that was cut off`,
    remedy: 'The next backup removes it',
  };
}

/** They are nobody's fault; what is not ours is shown, and never touched. */
function tellForeign({ foreign }: Catalogue, unnamed: number): string {
  if (foreign.length === 0) return 'only sets of backups are in the folders';
  const bytes = foreign.reduce((sum, file) => sum + file.bytes, 0);
  const count = foreign.length + unnamed;
  const named = listed(
    foreign.map(({ path }) => path),
    5,
    { total: count },
  );
  const size = `${unnamed > 0 ? 'more than ' : ''}${formatBytes(bytes)}`;
  return `${counted(count, 'file')} of others, ${size}, and never touched: ${named}`;
}
