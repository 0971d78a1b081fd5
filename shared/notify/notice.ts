import { cleanLine, cleanLines } from '../clean.ts';

// What people hear of a run: one value, made once, from which every channel makes its own text.

/**
 * How a run ended. `warning`: well, with something to look at. `incomplete`: what counts is safe, and a later step failed.
 * `cancelled`: somebody or the runner's time limit stopped it.
 */
export type Verdict = 'success' | 'warning' | 'incomplete' | 'failure' | 'cancelled';

/** A backup that a run took. */
export interface ReportedBackup {
  id: string;
  sizeBytes: number;
  sha256: string;
  /** Absolute, on the host. */
  file: string;
}

/** The newest verified backup on the host: `none` if there is none, `unknown` if the run could not look. */
export type LastGood = { id: string; takenAt: Date } | 'none' | 'unknown';

/** The copy of a backup in a bucket. */
export interface ReportedCopy {
  uri: string;
  /** Whether it is there, and has the checksum of the one on the host. */
  copied: boolean;
  /** Of the dump as it lies there, which is another than the host's where the runner encrypts; null if it is not there. */
  sha256: string | null;
  /** How that is known: the store reports it, or the copy was read back; null if it is not there. */
  confirmation: 'reported' | 'read-back' | null;
}

/** A backup that was restored: in a drill, or to take the place of the database. */
export interface RestoredBackup {
  id: string;
  /** Of the dump, as it was read while it was restored; null if it could not be read to its end. */
  sha256: string | null;
  /** Its address in the bucket; null: it was the host's own. */
  copy: string | null;
}

/** One check, as a manifest or a verification has it. */
export interface ReportedCheck {
  name: string;
  group: string;
  result: 'passed' | 'failed' | 'could-not-check';
  severity: 'error' | 'warning';
  detail: string;
  ms: number;
}

/** What an action reports of its run: what only it knows. It has no data of the database, and no secrets. */
export interface RunReport {
  /** How it went, if the step ends well. */
  verdict: 'success' | 'warning' | 'incomplete';
  /** What happened, in a sentence; null: as the failure says. */
  outcome: string | null;
  /** What needs a look, the worst first. */
  remarks: string[];
  database: string | null;
  /** null: the run took none. */
  backup: ReportedBackup | null;
  lastGood: LastGood;
  /** null: no copy was asked for. */
  offsite: ReportedCopy | null;
  checks: ReportedCheck[];
  /** null: nothing was restored, and nothing was tried to be. */
  restored: RestoredBackup | null;
  /** Milliseconds from an empty server to the restored data; null if nothing was restored. */
  recoveryMs: number | null;
}

/** How the step ended. */
export interface StepEnding {
  exitCode: 0 | 1;
  isCancelled: boolean;
  /** null if nothing failed. */
  failure: { code: string; message: string; hint: string | null } | null;
}

/** The run, as GitHub names it. */
export interface WorkflowRunFacts {
  url: string | null;
  repository: string | null;
  id: string | null;
  attempt: string | null;
  event: string | null;
  actor: string | null;
  commit: string | null;
}

/** What is the same for every action. */
export interface NoticeFrame {
  /** `backup-action` */
  action: string;
  /** null if the input cannot be used. */
  environment: string | null;
  startedAt: Date;
  finishedAt: Date;
  run: WorkflowRunFacts;
  /** By name, as the workflow gets them. */
  outputs: Readonly<Record<string, string>>;
}

/** What people hear of a run. All text is clean: see `shown`. */
export interface Notice extends NoticeFrame, Omit<RunReport, 'outcome' | 'verdict'> {
  verdict: Verdict;
  outcome: string;
  /** The name of the failure; null if there is none. */
  code: string | null;
  /** What to do, a line each. */
  advice: string[];
}

/** Outputs that are too long, or say again what a notice says elsewhere. */
const leftOut = ['results', 'evidence'];
const longestText = 1_000;
const mostRemarks = 10;
const mostAdvice = 20;

/** @param hide replaces what is secret, wherever it occurs */
export function noticeOf(
  frame: NoticeFrame,
  report: RunReport,
  ending: StepEnding,
  hide: (text: string) => string,
): Notice {
  const clean = (text: string) => shown(hide(text));
  const { failure } = ending;
  const remarks = report.remarks.slice(0, mostRemarks).map(clean);
  if (report.remarks.length > mostRemarks) remarks.push(`and ${report.remarks.length - mostRemarks} more: see the log`);
  return {
    ...frame,
    ...report,
    environment: frame.environment === null ? null : clean(frame.environment),
    outputs: Object.fromEntries(
      Object.entries(frame.outputs)
        .filter(([name]) => !leftOut.includes(name))
        .map(([name, value]) => [name, hide(value)]),
    ),
    database: report.database === null ? null : clean(report.database),
    backup: report.backup === null ? null : { ...report.backup, file: hide(report.backup.file) },
    offsite: report.offsite === null ? null : { ...report.offsite, uri: hide(report.offsite.uri) },
    restored:
      report.restored === null
        ? null
        : { ...report.restored, copy: report.restored.copy && hide(report.restored.copy) },
    checks: report.checks.map((check) => ({ ...check, detail: clean(check.detail) })),
    verdict: verdictOf(report, ending),
    outcome: clean(report.outcome ?? failure?.message ?? 'It came to its end'),
    remarks,
    code: failure?.code ?? null,
    advice: cleanLines(failure?.hint ?? '')
      .slice(0, mostAdvice)
      .map(clean),
  };
}

/** Whether nobody needs to do anything: then a ping reports success. Before a deployment, `incomplete` does not fail the step. */
export function isGood({ verdict }: Notice): boolean {
  return verdict === 'success' || verdict === 'warning';
}

function verdictOf({ verdict }: RunReport, { exitCode, isCancelled }: StepEnding): Verdict {
  if (isCancelled) return 'cancelled';
  if (verdict === 'incomplete') return 'incomplete';
  return exitCode === 0 ? verdict : 'failure';
}

/**
 * Foreign text as one line that is only text in a mail, a chat or a page: without markup, and without links that programs would
 * make clickable.
 */
export function shown(text: string): string {
  return cleanLine(text, longestText)
    .replaceAll('://', '[:]//')
    .replace(/<(?=[!@#/A-Za-z])/g, '‹');
}
