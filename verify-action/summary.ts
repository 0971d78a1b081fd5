import * as summary from '../shared/runner/job-summary.ts';
import * as log from '../shared/runner/log.ts';
import { counted, formatDuration } from '../shared/units.ts';
import { type Finding, type Tally, worstFirst } from './finding.ts';
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
export async function summarizeVerification(
  findings: readonly Finding[],
  tally: Tally,
  { environment, checks }: VerifyInputs,
  hostName: string,
  durationMs: number,
): Promise<void> {
  const bad = worstFirst(findings).filter(({ result }) => result !== 'passed');
  const passed = findings.filter(({ result }) => result === 'passed');
  await summary.writeSummary([
    verdictOf(tally, environment),
    summary.paragraph(
      `${tallyText(tally)}; ${checks.join(', ')} of ${hostName.replace('@', ' at ')}, in ${formatDuration(durationMs)}`,
    ),
    ...(bad.length === 0
      ? []
      : [
          summary.table(
            ['', 'Check', 'What was seen', 'What to do'],
            alike(bad).map(([finding, names]) => [
              isWarning(finding)
                ? '⚠️ warning'
                : `${finding.result === 'failed' ? '❌' : '❔'} ${words[finding.result]}`,
              names.join(', '),
              finding.detail,
              finding.remedy ?? '',
            ]),
          ),
        ]),
    summary.details(`Passed: ${passed.length}`, [
      summary.table(
        ['', 'Check', 'What was seen'],
        passed.map(({ name, group, detail }) => [group, name, detail]),
      ),
    ]),
  ]);
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

function verdictOf(tally: Tally, environment: string): summary.Block {
  switch (tally.status) {
    case 'verified':
      return tally.warnings === 0
        ? summary.verdict('good', `${environment} is verified`)
        : summary.verdict('attention', `${environment} is verified, with ${counted(tally.warnings, 'warning')}`);
    case 'failed':
      return summary.verdict('bad', `${environment} failed its verification`);
    case 'could-not-verify':
      return summary.verdict('bad', `${environment} could not be verified`);
  }
}
