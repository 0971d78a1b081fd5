import type { Group } from '../shared/drill/finding.ts';
import { InputError } from '../shared/failure.ts';
import { type EncryptionInputs, readEncryptionInputs } from '../shared/inputs/encryption-inputs.ts';
import { type HistoryInputs, readHistoryInputs } from '../shared/inputs/history-inputs.ts';
import { type HostInputs, readHostInputs } from '../shared/inputs/host-inputs.ts';
import { readNoticeInputs } from '../shared/inputs/notice-inputs.ts';
import { type OffsiteInputs, readOffsiteInputs } from '../shared/inputs/offsite-inputs.ts';
import { readOffsiteKeep } from '../shared/inputs/offsite-keep-inputs.ts';
import { type RegistryInputs, readRegistryInputs } from '../shared/inputs/registry-inputs.ts';
import { type RetentionInputs, readRetentionInputs } from '../shared/inputs/retention-inputs.ts';
import type { NoticeInputs, OnNoticeInputs } from '../shared/notify/addressed.ts';
import type { OffsitePolicy } from '../shared/offsite/plan-copies.ts';
import { parseTarget, type Target } from '../shared/plan/target.ts';
import { statementsIn } from '../shared/postgres/statements.ts';
import * as grammar from '../shared/runner/grammar.ts';
import { readInputs } from '../shared/runner/input-reader.ts';
import { identitiesIn } from '../shared/sets/age-identities.ts';
import { startOf } from '../shared/sets/naming.ts';

/** The inputs of a verification. Times in milliseconds. */
export interface VerifyInputs
  extends HostInputs,
    HistoryInputs,
    RegistryInputs,
    RetentionInputs,
    EncryptionInputs,
    OffsiteInputs,
    NoticeInputs {
  checks: Group[];
  maxBackupAge: number;
  timezone: string;
  /** Bytes. */
  minFreeSpace: number;
  /** What should be running; null: whatever the compose file names. */
  expect: Target | null;
  healthUrl: URL | null;
  healthTimeout: number;
  stableFor: number;
  /** An id, or `latest`. */
  drillBackup: string;
  /** Which copy to drill. */
  drillFrom: 'host' | 's3';
  /** Private keys of age or SSH; null if none was given. Never sent to the host. */
  decryptKey: string | null;
  /** Whether a missing or old copy off the host is a failure. */
  requireOffsite: boolean;
  /** Which copies should be there. */
  offsiteKeep: OffsitePolicy;
  /** Bytes. */
  drillMemory: number;
  /** Each must return true when run against the restored data. */
  drillStatements: string[];
  failOn: 'error' | 'warning';
}

const groups: grammar.Grammar<Group[]> = {
  hint: 'Give one or more of setup, backups, drill and deployment, separated by commas.',
  parse(value) {
    const named = value.split(/[\n,]/).map((word) => word.trim());
    const known = named
      .filter((word) => word !== '')
      .map(grammar.choice('setup', 'backups', 'drill', 'deployment').parse);
    if (known.length === 0) throw new RangeError('names no check');
    return [...new Set(known)];
  },
};

const expected: grammar.Grammar<Target> = {
  hint: 'Give a tag, or service=tag lines.',
  parse(value) {
    const target = parseTarget(value);
    if (target.kind === 'tag' || target.kind === 'services') return target;
    throw new RangeError('is neither a tag nor service=tag lines');
  },
};

const backupToDrill: grammar.Grammar<string> = {
  hint: 'Give latest, or the id of a backup such as 20261125_021700.',
  parse(value) {
    if (value === 'latest' || startOf(value) !== null) return value;
    throw new RangeError('is not the id of a backup');
  },
};

const statements: grammar.Grammar<string[]> = {
  ...grammar.sqlFile,
  parse(value) {
    const found = statementsIn(grammar.sqlFile.parse(value));
    if (found.length === 0) throw new RangeError('contains no SQL statement');
    return found;
  },
};

/** @throws InputError, or a Failure that lists several */
export function readVerifyInputs(onNotices: OnNoticeInputs = () => {}): VerifyInputs {
  return readInputs((input) => {
    const host = readHostInputs(input);
    const notices = readNoticeInputs(input, host, onNotices);
    const checks = input.withDefault('checks', groups, ['setup', 'backups']);
    const expect = input.optional('expect', expected);
    input.rule(() => checkExpect(checks, expect));
    const drillStatements = input.optional('drill-sql', statements);
    input.rule(() => checkStatements(checks, drillStatements));
    const offsite = readOffsiteInputs(input);
    const drillFrom = input.withDefault('drill-from', grammar.choice('host', 's3'), 'host');
    const decryptKey = input.secret('decrypt-key');
    const retention = readRetentionInputs(input);
    const offsiteKeep = readOffsiteKeep(input, offsite, retention.keep);
    const encrypted = readEncryptionInputs(input);
    input.rule(() => checkEncrypt(checks, encrypted.encryption));
    const requireOffsite = input.withDefault('require-offsite', grammar.boolean, false);
    input.rule(() => checkBucket(checks, offsite, drillFrom));
    input.rule(() => checkOffsite(checks, offsite, drillFrom, requireOffsite));
    input.rule(() => checkKey(checks, decryptKey));
    return {
      ...host,
      ...readHistoryInputs(input),
      checks,
      maxBackupAge: input.withDefault('max-backup-age', grammar.duration, 26 * 3_600_000),
      ...retention,
      ...encrypted,
      timezone: input.withDefault('timezone', grammar.timeZone, 'UTC'),
      minFreeSpace: input.withDefault('min-free-space', grammar.size, 1024 ** 3),
      expect,
      ...readRegistryInputs(input),
      healthUrl: input.optional('health-url', grammar.httpUrl),
      healthTimeout: input.withDefault('health-timeout', grammar.duration, 5 * 60_000),
      stableFor: input.withDefault('stable-for', grammar.duration, 10_000),
      drillBackup: input.withDefault('drill-backup', backupToDrill, 'latest'),
      drillFrom,
      decryptKey,
      requireOffsite,
      offsiteKeep,
      drillMemory: input.withDefault('drill-memory', grammar.size, 1024 ** 3),
      drillStatements: drillStatements ?? [],
      ...offsite,
      ...notices,
      failOn: input.withDefault('fail-on', grammar.choice('error', 'warning'), 'error'),
    };
  });
}

/** Without the check, the input would silently do nothing. */
function checkExpect(checks: readonly Group[], expect: Target | null): void {
  if (expect === null || checks === undefined || checks.includes('deployment')) return;
  throw new InputError(
    'expect',
    'has no effect because "checks" does not include deployment',
    'Add deployment to "checks"',
  );
}

function checkEncrypt(checks: readonly Group[], encryption: EncryptionInputs['encryption']): void {
  if (encryption !== 'age' || checks === undefined || checks.includes('setup')) return;
  throw new InputError('encrypt', 'has no effect because "checks" does not include setup', 'Add setup to "checks"');
}

function checkStatements(checks: readonly Group[], statements: readonly string[] | null): void {
  if (statements === null || checks === undefined || checks.includes('drill')) return;
  throw new InputError('drill-sql', 'has no effect because "checks" does not include drill', 'Add drill to "checks"');
}

/** The bucket is of use to whatever looks at copies. */
function checkBucket(checks: readonly Group[], { bucket }: OffsiteInputs, drillFrom: 'host' | 's3'): void {
  if (!bucket || checks === undefined || checks.includes('setup') || checks.includes('backups')) return;
  if (checks.includes('drill') && drillFrom === 's3') return;
  const why = 'has no effect because "checks" includes neither setup nor backups, and no drill from it';
  throw new InputError('s3-bucket', why, 'Add backups to "checks"');
}

function checkOffsite(
  checks: readonly Group[],
  { bucket }: OffsiteInputs,
  drillFrom: 'host' | 's3',
  requireOffsite: boolean,
): void {
  if (checks === undefined || bucket === undefined) return;
  for (const [name, isGiven, group] of [
    ['require-offsite', requireOffsite, 'backups'],
    ['drill-from', drillFrom === 's3', 'drill'],
  ] as const) {
    if (!isGiven) continue;
    if (!checks.includes(group)) {
      const why = `has no effect because "checks" does not include ${group}`;
      throw new InputError(name, why, `Add ${group} to "checks"`);
    }
    if (bucket === null) throw new InputError(name, 'needs the bucket with the copies', 'Give "s3-bucket" as well');
  }
}

function checkKey(checks: readonly Group[], key: string | null): void {
  if (key === null || checks === undefined) return;
  const hint =
    'Give the file that age-keygen has written, or just its line AGE-SECRET-KEY-1…, or an SSH key without a passphrase, as a secret';
  try {
    identitiesIn(key);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new InputError('decrypt-key', error.message, hint);
  }
  if (checks.includes('drill')) return;
  throw new InputError('decrypt-key', 'has no effect because "checks" does not include drill', 'Add drill to "checks"');
}
