import * as log from '../shared/runner/log.ts';
import type { JournalLine } from '../shared/transaction/journal.ts';
import { formatDuration } from '../shared/units.ts';

/** What each journal step means to an operator; `$` stands for the detail. Steps not listed here are not shown. */
const sentences: Record<string, string> = {
  waiting: 'Waiting for the lock, held by $',
  begin: 'The host has the lock; from here on it no longer needs the runner',
  checked: 'Nothing has changed since the plan was made',
  mended: 'Removed a leftover of docker compose: $',
  created: '$: created the new containers, not started yet',
  stopping: '$: stopping',
  starting: '$: starting the new containers beside the old ones',
  started: '$: started',
  answers: '$: answers',
  exchanging: 'Everything that writes has stopped; the restored database takes its place',
  exchanged: 'The restored database is the live one',
  'exchanged-back': 'The old database is the live one again',
  healthy: 'All swapped services are healthy',
  stable: 'Everything stayed up for $ s',
  'url-answers': 'The health-url answers',
  running: '$: running the job from the target',
  completed: '$: the job has completed',
  'running-again': '$: running the job of the previous release again',
  'stays-stopped': '$: stays stopped, with a container of the target',
  reloaded: '$: its configuration was reloaded, so that it finds the containers behind it',
  restarted: '$: restarted, because it did not answer',
  'found-stopped': '$: has stopped although the swap has not begun; starting it again',
  'started-again': 'What had stopped is running again',
  draining: '$: the old containers are finishing their requests',
  drained: '$: the old containers have stopped',
  commit: 'All checks passed: the rollback is final',
  retagged: "$: the compose file's own reference now points at the target",
  'engine-died': 'The rollback engine on the host died; restarting it',
  reverting: 'Going back to the previous release',
  restored: '$: the previous release is running again',
  reverted: 'The previous release is running again and was checked',
  'docker-restarted': 'Docker was restarted during the rollback',
  left: 'Left as it is because of on-failure: leave',
};

/** Logs the steps of a transaction as they happen, each with the time since the first. */
export class TransactionProgress {
  #begin: number | undefined;

  tell({ at, step, detail }: JournalLine): void {
    this.#begin ??= at;
    const since = formatDuration(at - this.#begin);
    if (step === 'failure') log.important(`✘ ${detail.replace(/^[a-z-]+ /, '')} (after ${since})`);
    else if (step === 'problem') log.warning(detail);
    else if (step === 'unpublished') {
      const [address = '', service = ''] = detail.split(' ');
      log.warning(`${address} answered before; ${service} does not publish it with the settings that it had then`);
    } else if (step === 'disobeyed') {
      log.warning(
        `${detail} did not stop when asked and was killed after its time to stop. Does its program run behind a shell as PID 1? init: true may help`,
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
        ? `${what}: stopped measuring downtime: the disk is full`
        : gap === '-'
          ? `${what}: never answered, so its downtime could not be measured`
          : `${what}: longest downtime ${formatDuration(Number(gap))}, ${failed} of ${asked} requests failed`,
    );
  }
}

/** The detail of `started` is the service's name and how long it took: only the name is shown. */
function subject(step: string, detail: string): string {
  return step === 'started' ? (detail.split(' ')[0] ?? '') : detail;
}
