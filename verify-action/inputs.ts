import { InputError } from '../shared/failure.ts';
import { parseTarget, type Target } from '../shared/releases/target.ts';
import * as grammar from '../shared/runner/grammar.ts';
import { type HistoryInputs, readHistoryInputs } from '../shared/runner/history-inputs.ts';
import { type HostInputs, readHostInputs } from '../shared/runner/host-inputs.ts';
import { readInputs } from '../shared/runner/inputs.ts';
import type { Group } from './finding.ts';

/** What the workflow asks of a verification. Times in milliseconds. */
export interface VerifyInputs extends HostInputs, HistoryInputs {
  checks: Group[];
  maxBackupAge: number;
  timezone: string;
  /** Bytes. */
  minFreeSpace: number;
  /** What should run; null: what the compose file names. */
  expect: Target | null;
  /** Whose images a tag alone is meant for. */
  registry: string;
  healthUrl: URL | null;
  healthTimeout: number;
  stableFor: number;
  failOn: 'error' | 'warning';
}

const groups: grammar.Grammar<Group[]> = {
  hint: 'Give setup, backups, deployment, or several of them with commas.',
  parse(value) {
    const named = value.split(/[\n,]/).map((word) => word.trim());
    const known = named.filter((word) => word !== '').map(grammar.choice('setup', 'backups', 'deployment').parse);
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

/** @throws InputError, or a Failure that lists several */
export function readVerifyInputs(): VerifyInputs {
  return readInputs((input) => {
    const checks = input.withDefault('checks', groups, ['setup', 'backups']);
    const expect = input.optional('expect', expected);
    input.rule(() => checkExpect(checks, expect));
    return {
      ...readHostInputs(input),
      ...readHistoryInputs(input),
      checks,
      maxBackupAge: input.withDefault('max-backup-age', grammar.duration, 26 * 3_600_000),
      timezone: input.withDefault('timezone', grammar.timeZone, 'UTC'),
      minFreeSpace: input.withDefault('min-free-space', grammar.size, 1024 ** 3),
      expect,
      registry: input.withDefault('registry', grammar.registry, 'ghcr.io'),
      healthUrl: input.optional('health-url', grammar.httpUrl),
      healthTimeout: input.withDefault('health-timeout', grammar.duration, 5 * 60_000),
      stableFor: input.withDefault('stable-for', grammar.duration, 10_000),
      failOn: input.withDefault('fail-on', grammar.choice('error', 'warning'), 'error'),
    };
  });
}

/** Else it would be taken for looked at. */
function checkExpect(checks: readonly Group[], expect: Target | null): void {
  if (expect === null || checks === undefined || checks.includes('deployment')) return;
  throw new InputError('expect', 'is given, and "checks" does not have deployment', 'Add deployment to "checks"');
}
