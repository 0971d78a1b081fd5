import { Failure } from '../shared/failure.ts';
import { type FailureCode, isFailureCode } from '../shared/failure-codes.ts';
import type { Plan } from '../shared/plan/plan.ts';
import { nameWith } from '../shared/postgres/database-name.ts';
import type { Carried } from './carry.ts';

/**
 * The failure to report when the rollback did not succeed.
 * @param folder the transaction's folder on the host
 */
export function endingFailure(
  outcome: Carried['outcome'],
  folder: string,
  { otherSettings, services, restore }: Pick<Plan, 'otherSettings' | 'services' | 'restore'>,
): Failure {
  const not = services.length === 0 ? 'Not restored' : 'Not rolled back';
  const data = restore === null ? '' : ', with its old database,';
  const { ending, left, foundStopped, problems } = outcome;
  const stopped = foundStopped.join(', ');
  const { code, message: why } = failureOf(outcome);
  const evidence = `The containers' logs are in ${folder}/evidence`;
  switch (ending) {
    case 'refused':
      return new Failure(code, `${not}: ${why}`, {
        hint: `${refusedHints[code] ?? 'Run it again'}. ${stopped === '' ? 'Nothing was stopped: the previous release is still running' : `What had stopped in the meantime (${stopped}) was started again and checked`}`,
      });
    case 'reverted':
      return new Failure(code, `${not}: ${why}`, {
        hint: `The previous release is running again${data} and was checked. ${evidence}. ${revertedHints[code] ?? (otherSettings ? changedSettings : 'Set "target" to another release')}`,
      });
    default:
      if (stopped !== '') {
        return new Failure(code, `${not}, and ${stopped} had stopped before the swap and is not well again: ${why}`, {
          hint: `${problems.join('. ')}. In deploy-dir on the host: docker compose up --detach. The steps are in ${folder}/journal`,
        });
      }
      return new Failure(
        code,
        `${services.length === 0 ? 'The restore' : 'The target'} failed${left ? ' and was left in place' : ', and not everything could be put back'}: ${why}`,
        {
          hint: `${problems.map((problem) => `${problem}. `).join('')}On the host: docker ps --all. ${evidence}, the steps are in ${folder}/journal${left && restore !== null ? `. The restored database is in use${code === 'database-silent' ? ', as far as is known' : ''}; the old one is ${nameWith(restore.database, `_before_${folder.slice(-15)}`)}. To swap them back: docs/restore.md, 'Back to the old database'` : ''}`,
        },
      );
  }
}

function failureOf({ failure, dockerRestarted }: Carried['outcome']): Failure {
  const said = failure?.text || failure?.code || 'stuck';
  if (dockerRestarted)
    return new Failure('docker-restarted', `Docker was restarted on the host during the rollback. ${said}`);
  // A newer version may have written a code that this one does not know.
  const code = failure?.code ?? 'stuck';
  return isFailureCode(code) ? new Failure(code, said) : new Failure('stuck', `${code}: ${said}`);
}

/** The target may well be good. */
const changedSettings =
  'The compose files have changed since the target ran, so it was not marked bad. To go back to those of that time as well: compose: kept';

/** Hints for failures that are not the target's fault. */
const revertedHints: Partial<Record<FailureCode, string>> = {
  'engine-died': 'Run it again',
  'docker-restarted': 'Run it again',
  'docker-failed': 'See what Docker says in the log, then run it again',
  'stop-failed': 'See what Docker says in the log, then run it again',
  'container-lost': 'Something else changed the containers: find out what, then run it again',
  'job-failed': 'To roll back without running the jobs that other services wait for: jobs: skip',
  'no-answer':
    'See which port the target listens on and what its proxy says; the compose file may have changed since it ran',
  'still-starting':
    'Raise "health-timeout". With the button of examples/rollback.yml: set the variable HEALTH_TIMEOUT, such as 15m, and run it again',
  'database-busy':
    'Find out what the session does: pg_stat_activity. A process that does not end when asked may hang in the kernel, or in an extension',
  'database-silent':
    'See why the database server does not answer. On the host: docker ps --all; docker logs NAME; df -h. Then run it again',
  'not-exchanged': 'See what PostgreSQL says in the log of the transaction, then run it again',
  'max-downtime': 'Raise "max-downtime", or leave it empty',
};

const refusedHints: Partial<Record<FailureCode, string>> = {
  'plan-stale': 'To see what has changed, tick the box "plan-only" of the form (plan-only: true). Then run it again',
  'lock-held': 'Check that run; if it is only slow, raise "lock-wait"',
  'no-answer':
    'Publish the port again in the compose file. If it is meant to be gone, first deploy without it, in deploy-dir on the host: docker compose up -d',
  'port-taken':
    'If it came with the release that you roll back from, stop it on the host (docker stop, with its name), then run it again',
  'not-created': 'See what docker compose says in the log',
  'disk-full': 'Make room on the disk of "backup-dir", then run it again',
  unfinished:
    'Run it again with "target" set to the release you want: it finishes that transaction first, and without "target" it may then go one release further back',
};
