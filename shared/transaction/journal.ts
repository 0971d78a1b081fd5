/** One step of a transaction, as its engine wrote it. The detail comes from the host and may be hostile until cleaned. */
export interface JournalLine {
  /** Milliseconds since 1970, on the host's clock. */
  at: number;
  step: string;
  detail: string;
}

/** How long a service, an address of the host, or the health-url did not answer while the release was swapped. */
export interface Measurement {
  /** Or an address: `127.0.0.1:8080`. null: the health-url. */
  service: string | null;
  /** Milliseconds; null if it never answered, so that nothing could be measured. */
  gapMs: number | null;
  failed: number;
  asked: number;
}

/** How a transaction ended, on the host. */
export type Ending = 'rolled-back' | 'reverted' | 'refused' | 'failed';

/** The transaction as a whole, according to its journal. */
export interface Outcome {
  /** null if it is unfinished. */
  ending: Ending | null;
  /** Why it could not continue; null if nothing stopped it. */
  failure: { code: string; text: string } | null;
  /** Left in the state in which it failed, because of `on-failure: leave`. */
  left: boolean;
  /** Docker was restarted in the meantime. That stops containers, and so may be why it failed. */
  dockerRestarted: boolean;
  /** Deployments were put on hold. */
  held: boolean;
  /** What went wrong after the commit or on the way back, one line per problem. */
  problems: string[];
  /** Services that were not swapped but reloaded or restarted, so that they answer again. */
  reloaded: string[];
  /** Services that were found stopped although the swap had not begun, and were started again. */
  foundStopped: string[];
  measurements: Measurement[];
  /** The longest downtime of all; null if none could be measured, or one measurement was given up. */
  downtimeMs: number | null;
  /** null if nothing could be measured. */
  failedRequests: number | null;
}

const endings: readonly Ending[] = ['rolled-back', 'reverted', 'refused', 'failed'];

/** Reads a journal. Leaves out an incomplete last line, and any line that is not ours. */
export function parseJournal(text: string): JournalLine[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map(parseJournalLine)
    .filter((line) => line !== null);
}

/** null if the text is not a line of a journal. */
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
    reloaded: [...new Set([...details('reloaded'), ...details('restarted')])],
    foundStopped: [...new Set(details('found-stopped'))],
    measurements,
    downtimeMs: gaps.length === 0 || measurements.some(({ asked }) => asked === 0) ? null : Math.max(...gaps),
    failedRequests: gaps.length === 0 ? null : measurements.reduce((sum, { failed }) => sum + failed, 0),
  };
}

function splitFailure(detail: string): { code: string; text: string } {
  const space = detail.indexOf(' ');
  return space < 0 ? { code: detail, text: '' } : { code: detail.slice(0, space), text: detail.slice(space + 1) };
}

/** null if the line makes no sense: a cut line must not hide how the transaction ended. */
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

/** An engine that took over from a dead one continues the measurement and reports it again: the last report counts. */
function lastOfEach(measurements: readonly (Measurement | null)[]): Measurement[] {
  const found = measurements.filter((measurement) => measurement !== null);
  return [...new Map(found.map((measurement) => [measurement.service, measurement])).values()];
}
