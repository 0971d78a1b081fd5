import { type Finding, worstFirst } from '../shared/drill/finding.ts';
import { isFailure } from '../shared/failure.ts';
import type { LastGood, ReportedCheck, RestoredBackup, RunReport } from '../shared/notify/notice.ts';
import type { Ending } from '../shared/runner/failure-report.ts';
import type { VerifyOutputs } from './outputs.ts';

/** What a run has come to know, for those who are told of it. */
export interface VerifyStory {
  findings: Finding[];
  /** The verdict in one line; null until all checks were made. */
  verdict: string | null;
  database: string | null;
  lastGood: LastGood;
  /** null: no drill came to its end. */
  drilled: RestoredBackup | null;
}

export const noStory = (): VerifyStory => ({
  findings: [],
  verdict: null,
  database: null,
  lastGood: 'unknown',
  drilled: null,
});

export function verificationReport(story: VerifyStory, outputs: VerifyOutputs, { error, exitCode }: Ending): RunReport {
  const checks = story.findings.map(checkOf);
  const bad = worstFirst(story.findings).filter(({ result }) => result !== 'passed');
  // Another failure came after the verdict, or before it.
  const isJudged = exitCode === 0 || isFailure(error, 'verification-failed', 'could-not-verify');
  return {
    verdict: (outputs.warnings ?? 0) > 0 ? 'warning' : 'success',
    outcome: isJudged ? story.verdict : null,
    remarks: bad.map((finding) => {
      const { name, group, detail } = checkOf(finding);
      return `${group}, ${name}: ${detail}${finding.remedy === null ? '' : `. ${finding.remedy}`}`;
    }),
    database: story.database,
    backup: null,
    lastGood: story.lastGood,
    offsite: null,
    checks,
    restored: story.drilled,
    recoveryMs: outputs['drill-duration-ms'],
  };
}

/** What a statement of "drill-sql" returned may be data of customers, so it stays in the log. */
function checkOf({ name, group, result, severity, detail, ms }: Finding): ReportedCheck {
  const isData = name === 'drill-sql' && result === 'failed';
  return { name, group, result, severity, detail: isData ? 'a statement is not true; the log says which' : detail, ms };
}
