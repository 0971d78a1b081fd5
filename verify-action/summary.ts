import { type Finding, type Group, type Tally, worstFirst } from '../shared/drill/finding.ts';
import type { LastGood } from '../shared/notify/notice.ts';
import * as summary from '../shared/runner/job-summary.ts';
import * as log from '../shared/runner/log.ts';
import { counted, formatDuration } from '../shared/units.ts';
import type { VerifyInputs } from './inputs.ts';

const marks = { passed: '✔', failed: '✘', 'could-not-check': '?' } as const;
const words = { passed: 'passed', failed: 'failed', 'could-not-check': 'could not check' } as const;

/** Logs a line for each check, and the remedy below each that did not pass. */
export function tellFindings(findings: readonly Finding[]): void {
  const width = Math.max(...findings.map(({ name }) => name.length));
  for (const finding of findings) {
    const { name, detail, remedy } = finding;
    const line = `${mark(finding)} ${name.padEnd(width)}  ${detail}`;
    if (finding.result === 'passed') log.passed(line);
    else if (isWarning(finding)) log.doubtful(line);
    else log.failed(line);
    if (finding.result !== 'passed' && remedy !== null) log.info(`  ${' '.repeat(width)}  → ${remedy}`);
  }
}

/** `!` marks a warning: something is wrong, but it does not fail the run. */
function mark(finding: Finding): string {
  return isWarning(finding) ? '!' : marks[finding.result];
}

const isWarning = ({ result, severity }: Finding) => result === 'failed' && severity === 'warning';

/** In one line: `17 passed, 1 warning, 2 failed, 1 could not be checked`. */
export function tallyText({ passed, warnings, failed, couldNotCheck }: Tally): string {
  return [
    `${passed} passed`,
    ...(warnings > 0 ? [counted(warnings, 'warning')] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(couldNotCheck > 0 ? [`${couldNotCheck} could not be checked`] : []),
  ].join(', ');
}

/** The job summary: the verdict, what failed and what to do about it, then everything that passed. */
export function summarizeVerification(
  findings: readonly Finding[],
  tally: Tally,
  verdict: string,
  { checks }: VerifyInputs,
  { hostName, lastGood }: { hostName: string; lastGood: LastGood },
  durationMs: number,
): void {
  const bad = worstFirst(findings).filter(({ result }) => result !== 'passed');
  const passed = findings.filter(({ result }) => result === 'passed');
  summary.writeSummary([
    summary.verdict(signOf(tally), verdict),
    summary.paragraph(
      `${tallyText(tally)}; ${checks.join(', ')} of ${hostName.replace('@', ' at ')}, in ${formatDuration(durationMs)}`,
    ),
    ...nextSteps(bad, tally, checks, lastGood),
    ...(bad.length === 0
      ? []
      : [
          summary.table(
            ['Result', 'Check', 'What was seen', 'What to do'],
            alike(bad).map(([finding, names]) => [
              isWarning(finding)
                ? '⚠️ warning'
                : `${finding.result === 'failed' ? '❌' : '❔'} ${words[finding.result]}`,
              names.join(', '),
              finding.detail,
              { advice: finding.remedy ?? '' },
            ]),
          ),
        ]),
    summary.details(`Passed: ${passed.length}`, [
      summary.table(
        ['Group', 'Check', 'What was seen'],
        passed.map(({ name, group, detail }) => [group, name, detail]),
      ),
    ]),
  ]);
}

/** The one thing to do next, first. */
function nextSteps(
  bad: readonly Finding[],
  { status }: Tally,
  checks: readonly Group[],
  lastGood: LastGood,
): summary.Block[] {
  if (status === 'verified') {
    const isFirst = checks.includes('setup') && lastGood === 'none';
    return isFirst ? [summary.paragraph('Next: take the first backup. Start the workflow that has backup-action')] : [];
  }
  const [first] = bad.filter(({ remedy }) => remedy !== null);
  const isIll = bad.some(({ group, severity }) => group === 'deployment' && severity === 'error');
  return [
    ...(first === undefined
      ? []
      : [summary.heading(`What to do first: ${first.name}`), ...summary.advice(first.remedy ?? '')]),
    ...(isIll ? [summary.button()] : []),
  ];
}

/** Findings that say the same thing share one row that lists all their names. */
function alike(findings: readonly Finding[]): [Finding, names: string[]][] {
  const rows = new Map<string, [Finding, string[]]>();
  for (const finding of findings) {
    const { result, severity, detail, remedy, name } = finding;
    const key = JSON.stringify([result, severity, detail, remedy]);
    const row = rows.get(key) ?? [finding, []];
    row[1].push(name);
    rows.set(key, row);
  }
  return [...rows.values()];
}

/** What was verified, by name; nothing for a group that was not checked, or not to the end. */
export type Subjects = Partial<Record<Group, string>>;

/**
 * The verdict in one line: the environment with what was verified there, or the backup, if that is all that was checked. A
 * failure names only the release: a backup may be well where something else is not.
 */
export function verdictText(
  { status, warnings }: Tally,
  { environment, checks }: VerifyInputs,
  subjects: Subjects,
): string {
  const names = status === 'verified' ? Object.values(subjects) : (subjects.deployment ?? []);
  const what = [names].flat().join('; ');
  const named = what === '' ? '' : `: ${what}`;
  switch (status) {
    case 'verified': {
      const isBackup = subjects.drill !== undefined && checks.every((group) => group === 'drill');
      const besides = warnings === 0 ? '' : `, with ${counted(warnings, 'warning')}`;
      return `${isBackup ? `The backup of ${environment}` : environment} is verified${besides}${named}`;
    }
    case 'failed':
      return `${environment} failed its verification${named}`;
    case 'could-not-verify':
      return `${environment} could not be verified${named}`;
  }
}

function signOf({ status, warnings }: Tally): summary.Verdict {
  if (status !== 'verified') return 'bad';
  return warnings === 0 ? 'good' : 'attention';
}
