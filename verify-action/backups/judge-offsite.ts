import { canonicalJson } from '../../shared/canonical-json.ts';
import type { StoredSet } from '../../shared/offsite/stored-sets.ts';
import { type FoundFile, newestFirst, pathsOf, type VerifiedSet } from '../../shared/sets/catalogue.ts';
import { startOf } from '../../shared/sets/naming.ts';
import { namesOf } from '../../shared/sets/read-sets.ts';
import { counted, formatDuration, listed } from '../../shared/units.ts';
import type { Finding, Findings, Problem } from '../finding.ts';

/** What is known of the content of a copy, and how. */
export interface CopyContent {
  id: string;
  /** The store has computed it over all of the dump, it was read in full here, or neither: then only its size is known. */
  how: 'reported' | 'read' | 'size';
  sha256: string | null;
}

/** The facts by which the copies of one database are judged. */
export interface OffsiteFacts {
  /** Where they are, for people. */
  place: string;
  database: string;
  /** What lies there, of any database. */
  stored: readonly StoredSet[];
  /** Of the newest complete copy; null if there is none. */
  newest: CopyContent | null;
  /** The verified sets of the database on the host. */
  host: readonly VerifiedSet[];
  hostFiles: readonly FoundFile[];
  /** Ids of sets on the host that should have a copy. */
  wanted: readonly string[];
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
  if (facts.newest !== null) findings.check('off-site checksum', () => judgeContent(facts.newest, copies));
  findings.check('off-site agrees', () => judgeDifferences(copies, facts));
  findings.check('off-site sets', () => judgeMissing(copies, facts), severity);
}

/** The complete copies of a database, newest first. */
export function copiesOf(database: string, stored: readonly StoredSet[]): Copy[] {
  return stored
    .flatMap((set) => (set.isComplete && set.manifest !== null ? [{ ...set, manifest: set.manifest }] : []))
    .filter((set) => set.database === database)
    .toSorted((a, b) => newestFirst(a.id, b.id));
}

export type Copy = StoredSet & { manifest: NonNullable<StoredSet['manifest']> };

function judgeAge([newest]: readonly Copy[], { place, database, maxAge, now }: OffsiteFacts): string | Problem {
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

/** What another database left unfinished is not ours to judge; whose a set without a manifest is, nobody knows. */
function judgeComplete(copies: readonly Copy[], { stored, database, host }: OffsiteFacts): string | Problem {
  const ids = new Set(host.map(({ id }) => id));
  const faulty = stored.filter((set) => !set.isComplete && (set.database === database || ids.has(set.id)));
  if (faulty.length === 0) return `${copies.length} complete, each with its manifest and its dump`;
  return {
    detail: listed(
      faulty.map(({ id, faults }) => `${id}: ${faults.join(', ')}`),
      3,
      { separator: '; ' },
    ),
    remedy: 'Run backup-action again: it uploads what is missing, as long as the set is on the host',
  };
}

/** Says no more than was done. */
function judgeContent(content: CopyContent | null, copies: readonly Copy[]): string | Problem {
  const copy = copies.find(({ id }) => id === content?.id);
  if (content === null || copy === undefined) return 'nothing to compare';
  if (content.how === 'size')
    return `the size of ${copy.id} is right; the store reports no checksum, and the copy is too large to be read here: "drill-from: s3" reads all of it`;
  const how = content.how === 'read' ? 'was read in full' : 'has, as the store reports,';
  if (content.sha256 === copy.manifest.sha256)
    return content.how === 'read'
      ? `${copy.id} was read in full, and is what its manifest says`
      : `the store reports the SHA-256 of ${copy.id} that its manifest has`;
  return {
    detail: `${copy.id} ${how} another SHA-256 than its manifest says`,
    remedy: `Do not rely on the copy ${copy.id}: delete it from the bucket, and run backup-action again`,
  };
}

/** A copy of a set that is still on the host must be that set. Its summary and the sizes of all of its files are compared. */
function judgeDifferences(copies: readonly Copy[], { host, hostFiles }: OffsiteFacts): string | Problem {
  const sizes = new Map(hostFiles.map(({ path, bytes }) => [path, bytes]));
  const pairs = copies.flatMap((copy) => {
    const set = host.find(({ id }) => id === copy.id);
    return set === undefined ? [] : [{ copy, set }];
  });
  const differences = pairs.flatMap(({ copy, set }) => {
    if (canonicalJson(copy.manifest) !== canonicalJson(set.manifest))
      return [`the manifest of ${copy.id} is not the one on the host`];
    const { proof, ...names } = namesOf(set);
    return Object.values(names).flatMap((name) => {
      const here = pathsOf(set).flatMap((folder) => sizes.get(`${folder}/${name}`) ?? [])[0];
      const there = copy.files.find((file) => file.name === name)?.bytes;
      if (here === undefined || here === there) return [];
      return [
        `${name} ${there === undefined ? 'is missing off the host' : `has ${there} bytes there and ${here} here`}`,
      ];
    });
  });
  if (differences.length === 0) {
    if (pairs.length === 0) return 'no set is both on the host and off it';
    return `${counted(pairs.length, 'set')} on the host and off it: the same manifests, and files of the same sizes`;
  }
  return {
    detail: listed(differences, 3, { separator: '; ' }),
    remedy: 'Find out which of the two was changed, and by whom. Do not rely on either until a drill has proven it',
  };
}

/** The upload of the newest set may still be going on: its age is what tells. */
function judgeMissing(copies: readonly Copy[], { host, wanted, place }: OffsiteFacts): string | Problem {
  const there = new Set(copies.map(({ id }) => id));
  const newest = host[0]?.id;
  const expected = wanted.filter((id) => id !== newest);
  const missing = expected.filter((id) => !there.has(id));
  if (missing.length === 0) return `each of ${counted(expected.length, 'older set')} on the host has its copy`;
  return {
    detail: `no copy of ${listed(missing, 3)} in ${place}`,
    remedy: 'Run backup-action: each run uploads some of what is missing, the newest first',
  };
}
