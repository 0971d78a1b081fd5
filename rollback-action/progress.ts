import * as log from '../shared/runner/log.ts';
import type { JournalLine } from '../shared/transaction/journal.ts';
import { formatDuration } from '../shared/units.ts';

/** What each step of the journal means to an operator; `$` stands for the detail. Steps that are not here say nothing. */
const sentences: Record<string, string> = {
  waiting: 'Waiting for the lock, held by $',
  begin: 'The host has taken the lock; from here on it goes on without the runner',
  checked: 'What runs is still what the plan was made for',
  mended: 'Removed what compose had left behind: $',
  created: '$: the new containers are made, and not started yet',
  stopping: '$: stopping the old container',
  starting: '$: starting the new containers beside the old',
  started: '$: started',
  answers: '$: answers',
  healthy: 'All that was swapped is healthy',
  stable: 'Nothing has changed for $ s',
  'url-answers': 'The health-url answers',
  draining: '$: the old containers finish what they are at',
  drained: '$: the old containers have stopped',
  commit: 'Every gate is passed: the target is in use',
  retagged: "$: the compose file's own reference is the target now",
  'engine-died': 'The engine on the host was killed; it is started again',
  reverting: 'Going back to what ran before',
  restored: '$: runs again as before',
  reverted: 'All that ran before runs again, and was looked at',
  'docker-restarted': 'Docker was restarted meanwhile',
  left: 'Left as it is, as on-failure asks',
};

/** Tells the steps of a transaction as they come, each with the time since the first. */
export class TransactionProgress {
  #begin: number | undefined;

  tell({ at, step, detail }: JournalLine): void {
    this.#begin ??= at;
    const since = formatDuration(at - this.#begin);
    if (step === 'failure') log.important(`✘ ${detail.replace(/^[a-z-]+ /, '')} (after ${since})`);
    else if (step === 'problem') log.warning(detail);
    else if (step === 'disobeyed') {
      log.warning(
        `${detail} did not stop when it was asked to, and was killed after stop-timeout. Does its program run as PID 1 behind a shell? init: true may help`,
      );
    } else if (step === 'measured') this.#tellMeasurement(detail);
    else {
      const sentence = sentences[step];
      if (sentence !== undefined) log.progress(`${sentence.replace('$', () => subject(step, detail))} (${since})`);
    }
  }

  #tellMeasurement(detail: string): void {
    const [name = '', gap = '', failed = '', asked = ''] = detail.split(' ');
    const what = name === '.health-url' ? 'health-url' : name;
    log.info(
      asked === '0'
        ? `${what}: its downtime could be measured no more, for want of room on the disk`
        : gap === '-'
          ? `${what}: never answered, so its downtime could not be measured`
          : `${what}: longest gap ${formatDuration(Number(gap))}, ${failed} of ${asked} requests failed`,
    );
  }
}

/** Behind the name of a service stands how long it took. */
function subject(step: string, detail: string): string {
  return step === 'started' ? (detail.split(' ')[0] ?? '') : detail;
}
