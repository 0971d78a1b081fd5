/** One step of a transaction, as its engine wrote it. The detail is the host's: hostile until cleaned. */
export interface JournalLine {
  /** Milliseconds since 1970, on the host's clock. */
  at: number;
  step: string;
  detail: string;
}

/** How long a service, or the health-url, did not answer while the release was swapped. */
export interface Measurement {
  /** null: the health-url. */
  service: string | null;
  /** Milliseconds; null where it never answered, so that nothing could be measured. */
  gapMs: number | null;
  failed: number;
  asked: number;
}

/** How a transaction ended, on the host. */
export type Ending = 'rolled-back' | 'reverted' | 'refused' | 'failed';

/** What the journal tells of a transaction as a whole. */
export interface Outcome {
  /** null where it has not ended. */
  ending: Ending | null;
  /** Why it could not go on; null where it could. */
  failure: { code: string; text: string } | null;
  /** Left as it was when it failed, as `on-failure: leave` asks. */
  left: boolean;
  /** Docker was restarted meanwhile, which containers do not outlive: that may be why. */
  dockerRestarted: boolean;
  /** Deployments were put on hold. */
  held: boolean;
  /** What went wrong after the target was in use, one line each. */
  problems: string[];
  measurements: Measurement[];
  /** The longest gap of all; null where none could be measured, or one was given up. */
  downtimeMs: number | null;
  /** null where nothing was asked. */
  failedRequests: number | null;
}

const endings: readonly Ending[] = ['rolled-back', 'reverted', 'refused', 'failed'];

/** Reads a journal; a last line without an end, and whatever else is no line of ours, is left out. */
export function parseJournal(text: string): JournalLine[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map(parseJournalLine)
    .filter((line) => line !== null);
}

/** null for what is no line of a journal. */
export function parseJournalLine(text: string): JournalLine | null {
  const [, at, step = '', detail = ''] = /^(\d{1,15})\t([a-z-]+)\t([^\t]*)$/.exec(text) ?? [];
  return at === undefined ? null : { at: Number(at), step, detail };
}

/** Reads the journal as a whole. */
export function outcomeOf(lines: readonly JournalLine[]): Outcome {
  const details = (step: string) => lines.filter((line) => line.step === step).map(({ detail }) => detail);
  const ended = details('ended')[0];
  const failure = details('failure')[0];
  const measurements = lastOfEach(details('measured').map(readMeasurement));
  const gaps = measurements.map(({ gapMs }) => gapMs).filter((gap) => gap !== null);
  return {
    ending: endings.find((known) => known === ended) ?? null,
    failure: failure === undefined ? null : splitFailure(failure),
    left: details('left').length > 0,
    dockerRestarted: details('docker-restarted').length > 0,
    held: details('held').length > 0,
    problems: details('problem'),
    measurements,
    downtimeMs: gaps.length === 0 || measurements.some(({ asked }) => asked === 0) ? null : Math.max(...gaps),
    failedRequests: gaps.length === 0 ? null : measurements.reduce((sum, { failed }) => sum + failed, 0),
  };
}

function splitFailure(detail: string): { code: string; text: string } {
  const space = detail.indexOf(' ');
  return space < 0 ? { code: detail, text: '' } : { code: detail.slice(0, space), text: detail.slice(space + 1) };
}

/** null for what is none: a line may have been cut, and how the transaction ended must be told all the same. */
function readMeasurement(detail: string): Measurement | null {
  const [, name = '', gap, failed, asked] = /^(\S+) (\d{1,15}|-) (\d{1,15}) (\d{1,15})$/.exec(detail) ?? [];
  if (gap === undefined) return null;
  return {
    service: name === '.health-url' ? null : name,
    gapMs: gap === '-' ? null : Number(gap),
    failed: Number(failed),
    asked: Number(asked),
  };
}

/** An engine that took over from one that died measures on, and tells it again. */
function lastOfEach(measurements: readonly (Measurement | null)[]): Measurement[] {
  const found = measurements.filter((measurement) => measurement !== null);
  return [...new Map(found.map((measurement) => [measurement.service, measurement])).values()];
}
