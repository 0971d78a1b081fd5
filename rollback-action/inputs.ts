import { InputError } from '../shared/failure.ts';
import { type DumpInputs, readDumpInputs } from '../shared/inputs/dump-inputs.ts';
import { type HistoryInputs, readHistoryInputs } from '../shared/inputs/history-inputs.ts';
import { type HostInputs, readHostInputs } from '../shared/inputs/host-inputs.ts';
import { readNoticeInputs } from '../shared/inputs/notice-inputs.ts';
import { type RegistryInputs, readRegistryInputs } from '../shared/inputs/registry-inputs.ts';
import type { OnNoticeInputs } from '../shared/notify/addressed.ts';
import type { Strategy } from '../shared/plan/plan-request.ts';
import type { SchemaGuard } from '../shared/plan/schema-guard.ts';
import { parseTarget, type Target } from '../shared/plan/target.ts';
import * as grammar from '../shared/runner/grammar.ts';
import { readInputs } from '../shared/runner/input-reader.ts';
import type { Keep } from '../shared/sets/tiers.ts';
import { type RestoreInputs, readRestoreInputs } from './restore-inputs.ts';

/** The inputs of a rollback. Times in milliseconds. */
export interface RollbackInputs extends HostInputs, DumpInputs, HistoryInputs, RegistryInputs {
  target: Target;
  /** null: every service that the target includes. */
  services: string[] | null;
  reason: string | null;
  skipBackup: boolean;
  keepPrerollback: Keep;
  planOnly: boolean;
  /** The hash of the plan that somebody reviewed. */
  expectPlan: string | null;
  strategy: Strategy | 'auto';
  proxyService: string | null;
  /** Whether jobs that other services await are run. */
  jobs: 'run' | 'skip';
  /** null: what each container allows itself. */
  stopTimeout: number | null;
  healthTimeout: number;
  healthUrl: URL | null;
  stableFor: number;
  maxDowntime: number | null;
  onFailure: 'revert' | 'leave';
  persist: 'retag' | 'none';
  /** With which compose files the target is created: today's, or those that were kept when it ran. */
  compose: 'current' | 'kept';
  hold: boolean;
  /** null: the database is left alone. */
  restore: RestoreInputs | null;
  /** Which changes of the schema since the target ran are refused. */
  schemaGuard: SchemaGuard;
}

/** The word that must be typed, and the environments that require it. */
const confirmation = 'ROLLBACK';
const confirmed = ['prod', 'production'];

const target: grammar.Grammar<Target> = {
  hint: 'Leave it empty for the last good release, or give a tag, service=tag lines, a digest, or the id of a record in the history.',
  parse: parseTarget,
};

const planHash: grammar.Grammar<string> = {
  hint: 'Give the hash that a run with plan-only printed.',
  parse(value) {
    if (/^[0-9a-f]{64}$/.test(value)) return value;
    throw new RangeError('is not 64 lower-case hex digits');
  },
};

/** @throws InputError, or a Failure that lists several */
export function readRollbackInputs(onNotices: OnNoticeInputs = () => {}): RollbackInputs {
  return readInputs((input) => {
    const host = readHostInputs(input);
    readNoticeInputs(input, host, onNotices);
    const planOnly = input.withDefault('plan-only', grammar.boolean, false);
    const confirm = input.optional('confirm', grammar.line);
    const chosen = input.withDefault('target', target, { kind: 'last-good' });
    const named = input.optional('services', services);
    const strategy = input.withDefault('strategy', grammar.choice('auto', 'recreate', 'blue-green'), 'auto');
    const compose = input.withDefault('compose', grammar.choice('current', 'kept'), 'current');
    const isOpen = chosen?.kind === 'last-good' && named === null;
    const restore = readRestoreInputs(input, { planOnly, isOpen, strategy, compose });
    input.rule(() => checkConfirmation(host.environment, planOnly, confirm));
    return {
      ...host,
      ...readDumpInputs(input),
      ...readHistoryInputs(input),
      target: chosen,
      services: named,
      reason: input.optional('reason', grammar.line),
      skipBackup: input.withDefault('skip-backup', grammar.boolean, false),
      keepPrerollback: input.withDefault('keep-prerollback', grammar.allOrNumber, 10),
      planOnly,
      expectPlan: input.optional('expect-plan', planHash),
      ...readRegistryInputs(input),
      strategy,
      proxyService: input.optional('proxy-service', grammar.serviceName),
      jobs: input.withDefault('jobs', grammar.choice('run', 'skip'), 'run'),
      stopTimeout: input.optional('stop-timeout', grammar.duration),
      healthTimeout: input.withDefault('health-timeout', grammar.duration, 5 * 60_000),
      healthUrl: input.optional('health-url', grammar.httpUrl),
      stableFor: input.withDefault('stable-for', grammar.duration, 10_000),
      maxDowntime: input.optional('max-downtime', grammar.duration),
      onFailure: input.withDefault('on-failure', grammar.choice('revert', 'leave'), 'revert'),
      persist: input.withDefault('persist', grammar.choice('retag', 'none'), 'retag'),
      compose,
      hold: input.withDefault('hold', grammar.boolean, true),
      restore,
      schemaGuard: input.withDefault('schema-guard', grammar.choice('destructive', 'any', 'off'), 'destructive'),
    };
  });
}

/** One per line, or several on a line separated by commas. */
const services: grammar.Grammar<string[]> = {
  hint: 'Give service names as in the compose file, one per line.',
  parse: (value) => grammar.lines(grammar.serviceName).parse(value.replaceAll(',', '\n')),
};

/** Nobody should roll production back with one careless click. */
function checkConfirmation(environment: string, planOnly: boolean, confirm: string | null): void {
  if (planOnly || !confirmed.includes(environment) || confirm === confirmation) return;
  throw new InputError(
    'confirm',
    confirm === null
      ? `is required because the environment is ${environment}`
      : `must be "${confirmation}" because the environment is ${environment}`,
    `Write ${confirmation} into the box "confirm" of the form, in capital letters. In a workflow file: confirm: ${confirmation}. To see the plan first, tick the box "plan-only". In a workflow file: plan-only: true`,
  );
}
