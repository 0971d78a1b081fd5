import { commandsIn } from '../advice.ts';
import { cleanLine } from '../clean.ts';
import { type Failure, isFailure } from '../failure.ts';
import { firstError } from '../postgres/printed-errors.ts';
import { typedAs } from '../typed-as.ts';
import { listed } from '../units.ts';

export type Group = 'setup' | 'backups' | 'drill' | 'deployment';

/** The result of one check. A check that could not be made has not passed. */
export interface Finding {
  name: string;
  group: Group;
  result: 'passed' | 'failed' | 'could-not-check';
  severity: 'error' | 'warning';
  /** What was seen, in one line. */
  detail: string;
  /** What to do about it; null if there is nothing to do. */
  remedy: string | null;
  ms: number;
}

const longestText = 1_000;

/** The first few names. */
export const some = (names: readonly string[]): string => listed(names, 5);

/** The number of findings of each kind, and the overall status. */
export interface Tally {
  status: 'verified' | 'failed' | 'could-not-verify';
  passed: number;
  warnings: number;
  failed: number;
  couldNotCheck: number;
}

/** @param failOn what makes a run fail: only errors, or warnings too */
export function tallyOf(findings: readonly Finding[], failOn: 'error' | 'warning'): Tally {
  const count = (belongs: (finding: Finding) => boolean) => findings.filter(belongs).length;
  const failed = count(({ result, severity }) => result === 'failed' && severity === 'error');
  const warnings = count(({ result, severity }) => result === 'failed' && severity === 'warning');
  const couldNotCheck = count(({ result }) => result === 'could-not-check');
  const isBad = failed > 0 || (failOn === 'warning' && warnings > 0);
  return {
    // Without any finding, nothing was verified.
    status: isBad ? 'failed' : couldNotCheck > 0 || findings.length === 0 ? 'could-not-verify' : 'verified',
    passed: count(({ result }) => result === 'passed'),
    warnings,
    failed,
    couldNotCheck,
  };
}

/** The worst first; equally bad ones in the order in which they were made. */
export function worstFirst(findings: readonly Finding[]): Finding[] {
  return findings.toSorted((a, b) => rank(a) - rank(b));
}

function rank({ result, severity }: Finding): number {
  if (result === 'passed') return 3;
  if (result === 'could-not-check') return 1;
  return severity === 'error' ? 0 : 2;
}

/** Something that is wrong but does not throw a Failure. */
export interface Problem {
  detail: string;
  remedy: string;
  /** If it is not as bad as the check is otherwise. */
  severity?: Finding['severity'];
}

/** Collects the findings of one group. */
export class Findings {
  readonly list: Finding[] = [];
  /** What was verified, by name, for the verdict: the release that runs, or the backup that was restored; null if unknown. */
  subject: string | null = null;
  readonly #group: Group;
  /** What could not be checked, and the check at the root of that. */
  readonly #roots = new Map<string, string>();

  constructor(group: Group) {
    this.#group = group;
  }

  /**
   * Makes a check and adds its result. `look` returns what was seen, or a Problem; a Failure that it throws counts as one.
   * @returns whether it passed
   */
  check(name: string, look: () => string | Problem, severity: Finding['severity'] = 'error'): boolean {
    const started = performance.now();
    const seen = outcomeOf(look);
    const isGood = typeof seen === 'string';
    this.add(
      name,
      isGood ? 'passed' : 'failed',
      isGood ? seen : seen.detail,
      isGood ? null : seen.remedy,
      isGood ? severity : (seen.severity ?? severity),
      performance.now() - started,
    );
    return isGood;
  }

  /** Like `check`, for a check that makes sense only if an earlier one has passed, or has found no more than a warning. */
  after(earlier: string, name: string, look: () => string | Problem, severity: Finding['severity'] = 'error'): boolean {
    const first = this.list.find((finding) => finding.name === earlier);
    if (first?.result === 'passed' || (first?.result === 'failed' && first.severity === 'warning'))
      return this.check(name, look, severity);
    this.blocked(name, earlier);
    return false;
  }

  /** Adds a check that an earlier one stands in the way of. One cause may block many: they all name it, and it alone says what to do. */
  blocked(name: string, earlier: string): void {
    const root = this.#roots.get(earlier) ?? earlier;
    this.#roots.set(name, root);
    this.unable(name, `"${root}" must pass first`, null);
  }

  /** Does some work and adds whether that succeeded. If it fails, the findings made so far are not lost. */
  async attempt(name: string, work: () => Promise<string>): Promise<void> {
    try {
      const done = await work();
      this.check(name, () => done);
    } catch (error) {
      if (!isFailure(error) || error.code === 'cancelled') throw error;
      this.unable(name, `could not write it: ${detailOf(error)}`, error.hint ?? 'Run it again');
    }
  }

  /** Adds a check that could not be made. */
  unable(name: string, detail: string, remedy: string | null): void {
    this.add(name, 'could-not-check', detail, remedy, 'error', 0);
  }

  add(
    name: string,
    result: Finding['result'],
    detail: string,
    remedy: string | null,
    severity: Finding['severity'],
    ms: number,
  ): void {
    // The results are published as JSON, so text from the host is cleaned here.
    const clean = (text: string) => cleanLine(text, longestText);
    const texts = { detail: clean(detail), remedy: remedy === null ? null : clean(remedy) };
    this.list.push({ name, group: this.#group, result, severity, ...texts, ms: Math.round(ms) });
  }
}

/** The findings with remedies that say as which user of the host their commands are typed, unless they do already. */
export function asUser(findings: readonly Finding[], user: string | null): Finding[] {
  if (user === null) return [...findings];
  return findings.map((finding) =>
    finding.remedy === null ? finding : { ...finding, remedy: remedyAs(user, finding.remedy, finding.name) },
  );
}

function remedyAs(user: string, remedy: string, check: string): string {
  const named = typedAs(user, remedy);
  const isSaid = /\bas (?:root|its owner)\b/i.test(named) || named.toLowerCase().includes(`as ${user.toLowerCase()}`);
  // Without a connection, it is not the host where something is typed.
  if (isSaid || check === 'connection' || commandsIn(named).length === 0) return named;
  return `On the host, as ${user}. ${named}`;
}

/** What a check saw; a Failure that it throws is a problem like others. */
function outcomeOf(look: () => string | Problem): string | Problem {
  try {
    return look();
  } catch (error) {
    if (!isFailure(error)) throw error;
    return { detail: detailOf(error), remedy: error.hint ?? 'See the log' };
  }
}

/** How many characters of a foreign text are shown. Its end says what went wrong. */
const longestCause = 300;

/** The message, followed by the error of PostgreSQL that caused it, else by the end of its cause: hints may refer to that. */
export function detailOf({ message, cause }: Failure): string {
  const words = typeof cause === 'string' ? cause : cause instanceof Error ? cause.message : '';
  const end = words.trim().replaceAll(/\s+/g, ' ').slice(-longestCause);
  const error = firstError(words.split('\n'));
  const line = error === null || error === '…' ? end : error;
  return line === '' || message.includes(line) ? message : `${message}: ${line}`;
}
