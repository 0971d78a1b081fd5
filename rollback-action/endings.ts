import { Failure } from '../shared/failure.ts';
import { type FailureCode, isFailureCode } from '../shared/failure-codes.ts';
import type { Carried } from './carry.ts';

/** What is told of an ending that is not the one that was wanted. @param folder of the transaction, on the host */
export function endingFailure(outcome: Carried['outcome'], folder: string): Failure {
  const { ending, left } = outcome;
  const { code, message: why } = failureOf(outcome);
  const evidence = `What the containers said stands in ${folder}/evidence`;
  switch (ending) {
    case 'refused':
      return new Failure(code, `Not rolled back: ${why}`, {
        hint: `${refusedHints[code] ?? 'Run it again'}. Nothing was stopped: what ran before runs on`,
      });
    case 'reverted':
      return new Failure(code, `Not rolled back: ${why}`, {
        hint: `What ran before runs again, and was looked at. ${evidence}. ${revertedHints[code] ?? 'Name another release as "target"'}`,
      });
    default:
      return new Failure(
        code,
        `${left ? 'The target is not well, and was left as it is' : 'Neither the target nor what ran before is well'}: ${why}`,
        {
          hint: `On the host: docker ps --all. ${evidence}, the steps in ${folder}/journal`,
        },
      );
  }
}

function failureOf({ failure, dockerRestarted }: Carried['outcome']): Failure {
  const said = failure?.text || failure?.code || 'stuck';
  if (dockerRestarted) return new Failure('docker-restarted', `Docker was restarted on the host meanwhile. ${said}`);
  // A journal's word that is none of ours may be that of a newer version.
  const code = failure?.code ?? 'stuck';
  return isFailureCode(code) ? new Failure(code, said) : new Failure('stuck', `${code}: ${said}`);
}

/** Where it is not the target that is at fault. */
const revertedHints: Partial<Record<FailureCode, string>> = {
  'engine-died': 'Run it again',
  'docker-restarted': 'Run it again',
  'docker-failed': 'See what Docker says in the log, and run it again',
  'stop-failed': 'See what Docker says in the log, and run it again',
  'container-lost': 'Somebody else was at work on the containers: see who, and run it again',
  'max-downtime': 'Raise "max-downtime", or leave it empty',
};

const refusedHints: Partial<Record<FailureCode, string>> = {
  'plan-stale': 'See what has changed, by plan-only: true, and run it again',
  'lock-held': 'Look at that run; raise "lock-wait" if it is only slow',
  'not-created': 'See what compose says in the log',
  unfinished: 'Run it again: that is ended first',
};
