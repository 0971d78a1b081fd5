import type { Notice } from './notice.ts';
import { ageSeconds, bodyOf, headlineOf } from './text.ts';

// A notice as JSON for programs: what a webhook gets (docs/notices.md), and what an auditor keeps (docs/evidence.md). Fields
// are only ever added within a version.

/** The body of the webhook's POST. */
export function webhookDocument(notice: Notice): string {
  const [title, message] = [headlineOf(notice), bodyOf(notice)];
  return JSON.stringify({
    schema: 'atlasia-notice/1',
    // The names under which chat services look for text.
    title,
    message,
    text: `${title}\n\n${message}`,
    ...factsOf(notice),
    outputs: notice.outputs,
  });
}

/**
 * What was checked in a run, how and with which result.
 * @param limit in bytes: beyond it, details are cut first, then the checks that passed are counted instead of listed
 */
export function evidenceDocument(notice: Notice, limit: number): string {
  const write = (checks: Notice['checks'], omittedChecks: number) =>
    JSON.stringify({
      schema: 'atlasia-evidence/1',
      ...factsOf(notice),
      recoveryMs: notice.recoveryMs,
      checks,
      omittedChecks,
      outputs: notice.outputs,
    });
  const { checks } = notice;
  const brief = checks.map((check) => ({ ...check, detail: shortened(check.detail) }));
  const bad = brief.filter(({ result }) => result !== 'passed');
  const attempts: [Notice['checks'], omitted: number][] = [
    [checks, 0],
    [brief, 0],
    [bad, brief.length - bad.length],
    [[], brief.length],
  ];
  const texts = attempts.map(([listed, omitted]) => write(listed, omitted));
  return texts.find((text) => Buffer.byteLength(text) <= limit) ?? '';
}

const longestDetail = 120;

const shortened = (text: string) =>
  text.length <= longestDetail ? text : `${text.slice(0, longestDetail - 1).toWellFormed()}…`;

function factsOf(notice: Notice) {
  const { lastGood, startedAt, finishedAt } = notice;
  return {
    verdict: notice.verdict,
    action: notice.action,
    environment: notice.environment,
    database: notice.database,
    outcome: notice.outcome,
    error: notice.code,
    advice: notice.advice,
    remarks: notice.remarks,
    backup: notice.backup,
    lastGoodBackup: {
      state: typeof lastGood === 'string' ? lastGood : 'known',
      id: typeof lastGood === 'string' ? null : lastGood.id,
      ageSeconds: ageSeconds(notice),
    },
    offsite: notice.offsite,
    restored: notice.restored,
    startedAt: startedAt.toISOString(),
    finishedAt: finishedAt.toISOString(),
    durationMs: finishedAt.getTime() - startedAt.getTime(),
    run: notice.run,
  };
}
