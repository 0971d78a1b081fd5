import { formatDuration } from '../units.ts';
import type { JournalLine } from './journal.ts';

/** Characters of a bar. */
const width = 60;

/** What a service did at a moment. */
type State = 'old' | 'down' | 'new' | 'both';

const signs: Record<State, string> = { old: '─', down: '×', new: '━', both: '═' };

/**
 * A transaction as lines of text: a bar for each service, from the lock to the end, then a legend. A stretch that is too short
 * for the scale still gets one sign.
 */
export function timelineOf(lines: readonly JournalLine[]): string[] {
  const begin = lines[0]?.at ?? 0;
  const end = Math.max(begin + 1, lines.at(-1)?.at ?? begin);
  const detailsOf = (step: string) => lines.filter((line) => line.step === step).map(({ detail }) => detail);
  // What stays stopped has nothing to show.
  const stopped = new Set(detailsOf('stays-stopped'));
  const services = [...new Set([...detailsOf('created'), ...detailsOf('stopping')])].filter(
    (service) => !stopped.has(service),
  );
  const name = Math.max(0, ...services.map((service) => service.length));
  // The host's clock may have been set back in the meantime.
  const column = (at: number) => Math.max(0, Math.min(width - 1, Math.floor(((at - begin) / (end - begin)) * width)));

  const bars = services.map((service) => {
    const bar: State[] = new Array<State>(width).fill('old');
    for (const { at, step, detail } of lines) {
      const [of = ''] = detail.split(' ');
      if (of !== service) continue;
      const before = bar[column(at)];
      // Blue-green: after `started` the old containers still run too.
      const change = step === 'started' && before === 'both' ? 'both' : changes.get(step);
      if (change !== undefined) bar.fill(change, column(at) + (before === 'down' ? 1 : 0));
    }
    return `${service.padEnd(name)}  ${bar.map((state) => signs[state]).join('')}`;
  });
  const scale = `${' '.repeat(name)}  0 s${formatDuration(end - begin).padStart(width - 3)}`;
  return [...bars, scale, '', '─ previous release   × down   ═ both   ━ target'];
}

const changes: ReadonlyMap<string, State> = new Map([
  ['stopping', 'down'],
  ['starting', 'both'],
  ['started', 'new'],
  ['drained', 'new'],
  ['running', 'both'],
  ['completed', 'new'],
  ['restored', 'old'],
]);
