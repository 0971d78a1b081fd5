import { cleanLine } from '../shared/clean.ts';
import { type Failure, isFailure } from '../shared/failure.ts';

export type Group = 'setup' | 'backups' | 'drill' | 'deployment';

/** What one check has come to. What could not be checked has not passed. */
export interface Finding {
  name: string;
  group: Group;
  result: 'passed' | 'failed' | 'could-not-check';
  severity: 'error' | 'warning';
  /** What was seen, in one line. */
  detail: string;
  /** What to do about it; null where nothing is to be done. */
  remedy: string | null;
  ms: number;
}

const longestText = 1_000;

/** Counts, and what they mean. */
export interface Tally {
  status: 'verified' | 'failed' | 'could-not-verify';
  passed: number;
  warnings: number;
  failed: number;
  couldNotCheck: number;
}

/** @param failOn what makes a run fail: errors alone, or warnings too */
export function tallyOf(findings: readonly Finding[], failOn: 'error' | 'warning'): Tally {
  const count = (belongs: (finding: Finding) => boolean) => findings.filter(belongs).length;
  const failed = count(({ result, severity }) => result === 'failed' && severity === 'error');
  const warnings = count(({ result, severity }) => result === 'failed' && severity === 'warning');
  const couldNotCheck = count(({ result }) => result === 'could-not-check');
  const isBad = failed > 0 || (failOn === 'warning' && warnings > 0);
  return {
    // Nothing looked at is nothing proven.
    status: isBad ? 'failed' : couldNotCheck > 0 || findings.length === 0 ? 'could-not-verify' : 'verified',
    passed: count(({ result }) => result === 'passed'),
    warnings,
    failed,
    couldNotCheck,
  };
}

/** The worst first; else in the order in which they were made. */
export function worstFirst(findings: readonly Finding[]): Finding[] {
  return findings.toSorted((a, b) => rank(a) - rank(b));
}

function rank({ result, severity }: Finding): number {
  if (result === 'passed') return 3;
  if (result === 'could-not-check') return 1;
  return severity === 'error' ? 0 : 2;
}

/** What is wrong, though it is no Failure by itself. */
export interface Problem {
  detail: string;
  remedy: string;
}

/** The findings of one group, as they are made. */
export class Findings {
  readonly list: Finding[] = [];
  readonly #group: Group;

  constructor(group: Group) {
    this.#group = group;
  }

  /**
   * Adds what a check has come to. It returns what was seen, or a Problem; a Failure is what was wrong, with its hint.
   * @returns whether it passed
   */
  check(name: string, look: () => string | Problem, severity: Finding['severity'] = 'error'): boolean {
    const started = performance.now();
    const seen = said(look);
    const isGood = typeof seen === 'string';
    this.add(
      name,
      isGood ? 'passed' : 'failed',
      isGood ? seen : seen.detail,
      isGood ? null : seen.remedy,
      severity,
      performance.now() - started,
    );
    return isGood;
  }

  /** As `check`, of what cannot be looked at where another check has failed. */
  after(earlier: string, name: string, look: () => string | Problem, severity: Finding['severity'] = 'error'): boolean {
    const first = this.list.find((finding) => finding.name === earlier);
    if (first?.result === 'passed') return this.check(name, look, severity);
    this.unable(name, `"${earlier}" must pass first`, first?.remedy ?? null);
    return false;
  }

  /** Adds whether something was done. What was found before must not be lost where it was not. */
  async attempt(name: string, work: () => Promise<string>): Promise<void> {
    try {
      const done = await work();
      this.check(name, () => done);
    } catch (error) {
      if (!isFailure(error) || error.code === 'cancelled') throw error;
      this.unable(name, `it could not be written: ${detailOf(error)}`, error.hint ?? 'Run it again');
    }
  }

  /** Adds one that could not be made. */
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
    // The results go out as JSON: what the host says in them is cleaned here.
    const clean = (text: string) => cleanLine(text, longestText);
    const said = { detail: clean(detail), remedy: remedy === null ? null : clean(remedy) };
    this.list.push({ name, group: this.#group, result, severity, ...said, ms: Math.round(ms) });
  }
}

function said(look: () => string | Problem): string | Problem {
  try {
    return look();
  } catch (error) {
    if (!isFailure(error)) throw error;
    return { detail: detailOf(error), remedy: error.hint ?? 'See the log' };
  }
}

/** Characters of a foreign text that help: its end says what went wrong. */
const longestCause = 300;

/** What happened, with the last that was said of it elsewhere: hints speak of that. */
export function detailOf({ message, cause }: Failure): string {
  const said = typeof cause === 'string' ? cause : cause instanceof Error ? cause.message : '';
  const line = said.trim().replaceAll(/\s+/g, ' ').slice(-longestCause);
  return line === '' || message.includes(line) ? message : `${message}: ${line}`;
}
