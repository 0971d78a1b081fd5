import { canonicalJson } from '../../shared/canonical-json.ts';
import { detailOf, type Finding, type Findings, type Problem } from '../../shared/drill/finding.ts';
import { Failure } from '../../shared/failure.ts';
import type { StoredPart, StoredSet } from '../../shared/offsite/stored-sets.ts';
import { sealedBytes } from '../../shared/sets/age-stream.ts';
import { type FoundFile, newestFirst, pathsOf, type VerifiedSet } from '../../shared/sets/catalogue.ts';
import { startOf } from '../../shared/sets/naming.ts';
import { namesOf } from '../../shared/sets/read-sets.ts';
import { unsealManifest } from '../../shared/sets/sealed-manifest.ts';
import { counted, formatBytes, formatDuration, listed } from '../../shared/units.ts';

/** What came of reading a copy. */
export interface CopyReading {
  id: string;
  /** Of the dump: the store has computed its checksum over all of it, it was read in full, or only its size was compared. */
  how: 'reported' | 'read' | 'size';
  /** How many were read from the bucket. */
  bytes: number;
  /** How many files the set has. */
  files: number;
  /** One line each. */
  faults: string[];
}

/** The facts by which the copies of one database are judged. */
export interface OffsiteFacts {
  /** Where they are, for people. */
  place: string;
  database: string;
  /** What lies there, of any database. */
  stored: readonly StoredSet[];
  /** Files there that are no set. */
  parts: readonly StoredPart[];
  /** Of the newest complete copy, or why it could not be read; null if there is none. */
  newest: CopyReading | Failure | null;
  /** The verified sets of the database on the host. */
  host: readonly VerifiedSet[];
  hostFiles: readonly FoundFile[];
  /** Sets on the host that the bucket lacks, and should keep. */
  missing: readonly VerifiedSet[];
  /** A missing or old copy is a failure, and not only a warning. */
  isRequired: boolean;
  /** Milliseconds. */
  maxAge: number;
  /** On the host's clock. */
  now: Date;
}

/** How far clocks may differ, as when a backup is taken. */
const greatestSkew = 5 * 60_000;

/** Checks that copies exist off the host, are recent, and are those of the sets on the host. */
export function judgeOffsite(findings: Findings, facts: OffsiteFacts): void {
  const severity: Finding['severity'] = facts.isRequired ? 'error' : 'warning';
  const copies = copiesOf(facts.database, facts.stored);
  findings.check('off-site newest', () => judgeAge(copies, facts), severity);
  findings.check('off-site complete', () => judgeComplete(copies, facts), severity);
  if (facts.newest instanceof Failure)
    findings.unable('off-site checksum', detailOf(facts.newest), facts.newest.hint ?? null);
  else if (facts.newest !== null) judgeContent(findings, facts.newest);
  findings.check('off-site agrees', () => judgeDifferences(copies, facts));
  findings.check('off-site sets', () => judgeMissing(copies, facts), severity);
}

/** The complete copies of a database, newest first. */
export function copiesOf(database: string, stored: readonly StoredSet[]): StoredSet[] {
  return stored
    .filter((set) => set.isComplete && set.database === database)
    .toSorted((a, b) => newestFirst(a.id, b.id));
}

function judgeAge([newest]: readonly StoredSet[], { place, database, maxAge, now }: OffsiteFacts): string | Problem {
  const remedy = 'See the log of the last run of backup-action, and run it again: it uploads what is missing';
  if (newest === undefined) return { detail: `there is no complete copy of "${database}" in ${place}`, remedy };
  const age = now.getTime() - (startOf(newest.id)?.getTime() ?? 0);
  if (age < -greatestSkew)
    return {
      detail: `the copy ${newest.id} is dated in the future`,
      remedy: 'Check the clock of the host: timedatectl. Take a backup now',
    };
  if (age <= maxAge) return `the newest copy, ${newest.id}, is ${formatDuration(Math.max(0, age))} old`;
  return {
    detail: `the newest copy, ${newest.id}, is ${formatDuration(age)} old; the limit is ${formatDuration(maxAge)} (max-backup-age)`,
    remedy,
  };
}

/** Unfinished copies of another database are not ours to judge; files without a manifest may be anybody's. */
function judgeComplete(
  copies: readonly StoredSet[],
  { stored, parts, database, host }: OffsiteFacts,
): string | Problem {
  const ids = new Set(host.map(({ id }) => id));
  const faulty = stored.filter((set) => !set.isComplete && (set.database === database || ids.has(set.id)));
  const faults = [
    ...faulty.map(({ id, faults }) => `${id}: ${faults.join(', ')}`),
    ...parts.map(({ id, why }) => `${id}: ${why}`),
  ];
  if (faults.length === 0) return `${counted(copies.length, 'complete set')}, each with all of its files`;
  return {
    detail: listed(faults, 3, { separator: '; ' }),
    remedy: parts.some(({ state }) => state === 'unread')
      ? 'Bring these manifests back in the store (aws s3api restore-object, if they are archived), and let no lifecycle rule archive manifests: every run reads them'
      : parts.every(({ id }) => ids.has(id))
        ? 'Run backup-action again: it uploads what is missing, as long as the set is on the host'
        : 'Unless an upload is going on now, run backup-action again: it uploads what is missing, as long as the set is on the host. Delete the rest by hand',
  };
}

/** Says no more than was done. */
function judgeContent(findings: Findings, { id, how, bytes, files, faults }: CopyReading): void {
  findings.check('off-site checksum', () => {
    if (faults.length > 0)
      return {
        detail: `the copy ${id}: ${listed(faults, 3, { separator: '; ' })}`,
        remedy: `Do not rely on the copy ${id}: delete its objects from the bucket, and run backup-action again`,
      };
    if (how === 'size')
      return {
        detail: `of the dump of ${id} only the size was compared: the store reports no checksum over all of it, and it is large`,
        remedy: 'Set "require-offsite", with which it is read in full, or drill it with "drill-from: s3"',
        severity: 'warning',
      };
    const read = formatBytes(bytes);
    return how === 'read'
      ? `the ${files} files of ${id} were read in full (${read}), and are what its checksums and its manifest say`
      : `the store reports the SHA-256 of the dump of ${id} that its manifest has; its other files were read in full (${read})`;
  });
}

/**
 * A copy of a set that is still on the host must be that set. Its summary and the sizes of all of its files are compared. What the
 * runner has encrypted has other bytes each time, but their number is known; and its lists are those of the encrypted files.
 */
function judgeDifferences(copies: readonly StoredSet[], { host, hostFiles }: OffsiteFacts): string | Problem {
  const sizes = new Map(hostFiles.map(({ path, bytes }) => [path, bytes]));
  const pairs = copies.flatMap((copy) => {
    const set = host.find(({ id }) => id === copy.id);
    return set === undefined ? [] : [{ copy, set }];
  });
  const differences = pairs.flatMap(({ copy, set }) => {
    if (canonicalJson(unsealManifest(copy.manifest)) !== canonicalJson(set.manifest))
      return [`the manifest of ${copy.id} is not the one on the host`];
    const { proof, ...names } = namesOf(set);
    const copies = namesOf(copy);
    return (Object.keys(names) as (keyof typeof names)[]).flatMap((part) => {
      const here = pathsOf(set).flatMap((folder) => sizes.get(`${folder}/${names[part]}`) ?? [])[0];
      const there = copy.files.find((file) => file.name === copies[part])?.bytes;
      const expected = here === undefined ? undefined : sizeOfCopy(part, here, copy.manifest);
      if (here === undefined || (there !== undefined && (expected ?? there) === there)) return [];
      return [
        `${copies[part]} ${there === undefined ? 'is missing off the host' : `has ${there} bytes there and ${here} here`}`,
      ];
    });
  });
  if (differences.length === 0) {
    if (pairs.length === 0) return 'no set is both on the host and off it';
    const sealed = pairs.filter(({ copy }) => copy.manifest.sealedFrom !== null).length;
    const how = sealed === 0 ? '' : `, which for ${sealed} of them a runner has encrypted on the way`;
    return `${counted(pairs.length, 'set')} on the host and off it: the same manifests, and files of the same sizes${how}`;
  }
  return {
    detail: listed(differences, 3, { separator: '; ' }),
    remedy: 'Find out which of the two was changed, and by whom. Do not rely on either until a drill has proven it',
  };
}

/** Bytes that a file of a set must have in the bucket; null if that is not known. All files of an encrypted copy have headers of one size. */
function sizeOfCopy(part: string, here: number, { sealedFrom, sizeBytes }: StoredSet['manifest']): number | null {
  if (sealedFrom === null) return here;
  if (['manifest', 'sha256', 'md5'].includes(part)) return null;
  return sealedBytes(here) + sizeBytes - sealedBytes(sealedFrom.sizeBytes);
}

/** The upload of the newest one may be going on; nobody can tell that from an upload that failed. */
function judgeMissing(copies: readonly StoredSet[], { missing, place, parts }: OffsiteFacts): string | Problem {
  if (missing.length === 0) return `none is missing: ${counted(copies.length, 'complete set')} in ${place}`;
  const half = new Set(parts.map(({ id }) => id));
  const names = missing.map(({ id }) => (half.has(id) ? `${id} (of which only a part is there)` : id));
  return {
    detail: `no copy of ${listed(names, 3)} in ${place}`,
    remedy:
      'Run backup-action, unless one is uploading now: each run uploads some of what is missing, the newest first',
  };
}
