import { Failure, isFailure } from '../failure.ts';
import { isDigest, isTag, parseImageReference } from '../releases/image-reference.ts';
import { isImageId, isServiceName, type Release, type RunningImage } from '../releases/release.ts';
import type { KnownSettings } from '../releases/settings-hash.ts';
import { mapOf, milliseconds, oneOf, orNull, type Reader, shape, text, textThat } from '../untrusted.ts';

/** What happened to the release of an environment, and how it went. Kept forever, never changed. */
export interface HistoryRecord {
  version: 1;
  /** `<run id>-<attempt>-<8 hex>`, chosen by the runner before anything starts. */
  id: string;
  /** ISO 8601, UTC. */
  at: string;
  environment: string;
  event: 'observed' | 'deploy' | 'rollback' | 'restore' | 'check' | 'drill';
  status: 'succeeded' | 'failed' | 'reverted';
  /** The verdict on `release`. */
  verdict: 'good' | 'bad' | 'unknown';
  /** The release that has been running since the event, or, if it failed, the one that should be running. */
  release: Release;
  /** What ran before. */
  previous: Release | null;
  schemaSha256: string | null;
  /** The backup that was taken with it, or drilled. */
  backupId: string | null;
  /** The backup that the database was restored from; null if it was not. */
  restoredId: string | null;
  reason: string | null;
  actor: string | null;
  runUrl: string | null;
  commit: string | null;
  /** The settings that `release` was seen with; null if nobody asked compose. */
  settings: KnownSettings | null;
  durationMs: number | null;
  /** The longest downtime; null if it was not measured. */
  downtimeMs: number | null;
}

const idGrammar = /^\d{1,20}-\d{1,6}-[0-9a-f]{8}$/;
const longestLine = 256 * 1024;
/** How many unreadable lines are reported one by one. */
const mostProblems = 3;
/** UTF-16 units. */
export const longestReason = 2_000;

/** True for the id of a record. */
export function isRecordId(value: string): boolean {
  return idGrammar.test(value);
}

/** The id of the record that a run will write. @param hex eight random hex digits */
export function recordId(runId: string | null, attempt: string | null, hex: string): string {
  return `${runId ?? '0'}-${attempt ?? '0'}-${hex}`;
}

/** Free text on one line. */
const line = (longest: number): Reader<string> => {
  const limited = text(longest);
  return (value, place) => {
    const read = limited(value, place);
    if (/\p{Cc}/u.test(read)) throw new Failure('bad-value', `"${place}" contains a control character`);
    return read;
  };
};

const image = textThat((value) => {
  // A container may have been created from an image id.
  if (isImageId(value)) return true;
  try {
    return value.length <= 600 && parseImageReference(value) !== null;
  } catch {
    return false;
  }
}, 'an image reference');

const runningImage = shape<RunningImage>({
  image: orNull(image),
  tag: orNull(textThat(isTag, 'a tag')),
  digest: orNull(textThat(isDigest, 'a digest')),
  imageId: orNull(textThat(isImageId, 'an image id')),
});

const release = mapOf(isServiceName, runningImage, 200);

const hash = textThat((value) => /^[0-9a-f]{32}$/.test(value), 'a hash');

const settings = shape<KnownSettings>({
  compose: textThat((value) => /^[\w.+~-]{1,50}$/.test(value), 'a version'),
  kept: hash,
  services: mapOf(isServiceName, hash, 200),
});

const backupId = textThat((value) => /^\d{8}_\d{6}$/.test(value), 'the id of a backup');

const record = shape<HistoryRecord>({
  version: oneOf(1),
  id: textThat(isRecordId, 'the id of a record'),
  at: textThat(
    (value) => /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(value) && !Number.isNaN(Date.parse(value)),
    'a time in ISO 8601 and UTC',
  ),
  environment: line(200),
  event: oneOf('observed', 'deploy', 'rollback', 'restore', 'check', 'drill'),
  status: oneOf('succeeded', 'failed', 'reverted'),
  verdict: oneOf('good', 'bad', 'unknown'),
  release,
  previous: orNull(release),
  schemaSha256: orNull(textThat((value) => /^[0-9a-f]{64}$/.test(value), 'a SHA-256')),
  backupId: orNull(backupId),
  restoredId: orNull(backupId),
  reason: orNull(line(longestReason)),
  actor: orNull(line(200)),
  runUrl: orNull(textThat((value) => value.length <= 2_048 && /^https?:\/\/[!-~]+$/.test(value), 'an http(s) address')),
  commit: orNull(textThat((value) => /^[0-9a-f]{7,64}$/.test(value), 'a commit')),
  settings: orNull(settings),
  durationMs: orNull(milliseconds),
  downtimeMs: orNull(milliseconds),
});

/** Reads one record. @throws Failure `bad-value` */
export function readHistoryRecord(value: unknown): HistoryRecord {
  return record(value, '');
}

/** The record as a line of the history, without a line break. */
export function historyLine(value: HistoryRecord): string {
  return JSON.stringify(value);
}

/**
 * Reads a history. Unreadable lines, such as a last line cut by a power failure, are reported and left out.
 * @returns records in the order of the file, only the last of those with the same id; and a few problems, never a flood
 */
export function parseHistory(history: string): { records: HistoryRecord[]; problems: string[] } {
  const records = new Map<string, HistoryRecord>();
  const problems: string[] = [];
  let more = 0;
  history.split('\n').forEach((each, index) => {
    if (each.trim() === '') return;
    const read = parseRecord(each);
    if (typeof read !== 'string') records.set(read.id, read);
    else if (problems.length < mostProblems) problems.push(`line ${index + 1} of the history cannot be read: ${read}`);
    else more += 1;
  });
  if (more > 0) problems.push(`${more} more lines of the history cannot be read`);
  return { records: [...records.values()], problems };
}

/** The record in a line, or why it is not one. */
function parseRecord(text: string): HistoryRecord | string {
  if (text.length > longestLine) return 'it is too long';
  // There may be millions of junk lines: catching a parse error for each would be slow.
  if (!text.trimStart().startsWith('{')) return 'it is not JSON';
  try {
    return readHistoryRecord(JSON.parse(text));
  } catch (error) {
    return isFailure(error) ? error.message : 'it is not JSON';
  }
}
