import { formatBytes, formatDuration } from '../units.ts';
import type { Notice, Verdict } from './notice.ts';

// A notice as text for people: the verdict first, then why, then what to do.

const words: Record<Verdict, string> = {
  success: 'OK',
  warning: 'WARNING',
  incomplete: 'INCOMPLETE',
  failure: 'FAILED',
  cancelled: 'CANCELLED',
};

/** A subject that fits on the screen of a phone. */
const longestHeadline = 200;

/** In one line: `FAILED: backup of prod, database shop, last good backup 51 h 03 min old`. */
export function headlineOf(notice: Notice): string {
  const { verdict, environment, database, backup } = notice;
  const line = [
    `${words[verdict]}: ${workOf(notice)} of ${environment ?? 'an unknown environment'}`,
    ...(database === null ? [] : [`database ${database}`]),
    ...(backup === null ? [] : [formatBytes(backup.sizeBytes)]),
    lastGoodText(notice),
  ].join(', ');
  return line.length <= longestHeadline ? line : `${line.slice(0, longestHeadline - 1).toWellFormed()}…`;
}

/** Everything below the headline. */
export function bodyOf(notice: Notice): string {
  const { outcome, advice, remarks } = notice;
  return [
    outcome,
    ...(advice.length === 0 ? [] : [`What to do: ${advice.join('\n')}`]),
    ...(remarks.length === 0 ? [] : [remarks.map((remark) => `- ${remark}`).join('\n')]),
    rowsOf(notice)
      .map(([label, value]) => `${label}: ${value}`)
      .join('\n'),
  ].join('\n\n');
}

export function textOf(notice: Notice): string {
  return `${headlineOf(notice)}\n\n${bodyOf(notice)}\n`;
}

/** The same for a mail program. It loads nothing from elsewhere. */
export function htmlOf(notice: Notice): string {
  const { verdict, outcome, advice, remarks, run } = notice;
  const colour = verdict === 'success' ? '#1a7f37' : verdict === 'warning' ? '#9a6700' : '#cf222e';
  const row = ([label, value]: [string, string]) => {
    const text = value === run.url ? `<a href="${escaped(value)}">${escaped(value)}</a>` : escaped(value);
    return `<tr><td style="padding:2px 12px 2px 0;color:#57606a">${escaped(label)}</td><td>${text}</td></tr>`;
  };
  return [
    '<!doctype html><html><body style="font-family:sans-serif;font-size:14px">',
    `<h2 style="color:${colour};font-size:17px">${escaped(headlineOf(notice))}</h2>`,
    `<p>${escaped(outcome)}</p>`,
    ...(advice.length === 0 ? [] : [`<p><b>What to do:</b> ${advice.map(escaped).join('<br>')}</p>`]),
    ...(remarks.length === 0 ? [] : [`<ul>${remarks.map((remark) => `<li>${escaped(remark)}</li>`).join('')}</ul>`]),
    `<table style="border-collapse:collapse;font-size:14px">${rowsOf(notice).map(row).join('')}</table>`,
    '</body></html>',
  ].join('\n');
}

function rowsOf(notice: Notice): [label: string, value: string][] {
  const { database, backup, offsite, restored, code, recoveryMs, startedAt, finishedAt, run, environment } = notice;
  return [
    ...row('Environment', environment),
    ...row('Database', database),
    ...row('Backup', backup && `${backup.id}, ${formatBytes(backup.sizeBytes)}, ${backup.file}`),
    ...row('SHA-256', backup?.sha256),
    ...row('Off-site copy', offsite && `${offsite.uri}${offsite.copied ? '' : ' is missing'}`),
    ...row('Last good backup', lastGoodDetail(notice)),
    ...row('Restored', restored && `${restored.id}${restored.copy === null ? '' : `, from ${restored.copy}`}`),
    ...row('Recovered in', recoveryMs === null ? null : formatDuration(recoveryMs)),
    ...row('Error', code),
    ...row('Took', formatDuration(finishedAt.getTime() - startedAt.getTime())),
    ...row('Finished', finishedAt.toISOString()),
    ...row('Started by', run.actor && run.event && `${run.actor} (${run.event})`),
    ...row('Run', run.url),
  ];
}

function row(label: string, value: string | null | undefined): [string, string][] {
  return value ? [[label, value]] : [];
}

/** Whole seconds, not negative: the clock of the host may be a little ahead. */
export function ageSeconds({ lastGood, finishedAt }: Notice): number | null {
  if (typeof lastGood === 'string') return null;
  return Math.max(0, Math.round((finishedAt.getTime() - lastGood.takenAt.getTime()) / 1_000));
}

function lastGoodText(notice: Notice): string {
  const { lastGood } = notice;
  if (lastGood === 'none') return 'no good backup';
  if (lastGood === 'unknown') return 'age of the last good backup unknown';
  return `last good backup ${formatDuration((ageSeconds(notice) ?? 0) * 1_000)} old`;
}

function lastGoodDetail(notice: Notice): string {
  const { lastGood } = notice;
  if (lastGood === 'none') return 'there is none';
  if (lastGood === 'unknown') return 'unknown: this run has not looked at the backups';
  return `${lastGood.id}, ${formatDuration((ageSeconds(notice) ?? 0) * 1_000)} old`;
}

/** `backup-action` makes a backup, `verify-action` a verification. */
function workOf({ action }: Notice): string {
  const verb = action.replace(/-action$/, '');
  return verb === 'verify' ? 'verification' : verb;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
