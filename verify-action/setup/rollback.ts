import { parseHold, tellHold } from '../../shared/history/hold.ts';
import { newestKnown } from '../../shared/history/observation.ts';
import { commandToEnd } from '../../shared/host/backup-folder.ts';
import { readHolder } from '../../shared/host/lock-holder.ts';
import type { Survey } from '../../shared/host/survey.ts';
import { releaseOf, sameRelease } from '../../shared/releases/release.ts';
import { counted } from '../../shared/units.ts';
import type { Findings } from '../finding.ts';
import type { VerifyInputs } from '../inputs.ts';
import { judgeLastGood, judgeRegistry } from './images.ts';
import type { SetupFacts } from './setup-facts.ts';

/** What earlier rollbacks have left. */
export function judgeTransactions(findings: Findings, seen: Survey, { backupDir }: VerifyInputs): void {
  findings.check('transactions', () => {
    const [first] = seen.unfinished;
    if (first === undefined) return 'no rollback was left half-way';
    // Another holder of the lock says nothing of it.
    if (readHolder(seen.lockHolder ?? '').action === 'rollback-action')
      return `${seen.unfinished.join(', ')} is at work`;
    return {
      detail: `the rollback ${seen.unfinished.join(', ')} was left half-way`,
      remedy: `The next backup or rollback ends it. By hand on the host: ${commandToEnd(backupDir, first)}`,
    };
  });
  findings.check(
    'hold',
    () =>
      seen.hold === null
        ? 'deployments may go on'
        : {
            detail: tellHold(parseHold(seen.hold)),
            remedy: 'When the cause is mended, deploy with release-hold: true in backup-action',
          },
    'warning',
  );
}

/** Whether there is something to roll back to, and where that is known from. */
export function judgeHistory(findings: Findings, facts: SetupFacts, inputs: VerifyInputs): void {
  const { seen, knownHistory, copyNotices } = facts;
  const { environment, backupDir } = inputs;
  const ours = knownHistory.host.filter((record) => record.environment === environment);
  findings.check(
    'history',
    () => {
      if (knownHistory.problems.length === 0) return `${counted(ours.length, 'record')} of ${environment} on the host`;
      return {
        detail: knownHistory.problems.join('; '),
        remedy: `Such lines are passed over. See ${backupDir}/rollback/history.jsonl on the host`,
      };
    },
    'warning',
  );
  const running = releaseOf(seen.containers, seen.images);
  // Where the deployment is judged as well, that says what runs.
  if (!inputs.checks.includes('deployment'))
    findings.after(
      'project',
      'release',
      () => {
        const newest = newestKnown(knownHistory.host, environment);
        if (newest !== null && sameRelease(newest.release, running)) return `what runs is what ${newest.at} says`;
        return {
          detail: newest === null ? 'the history tells of no release' : `what runs is not what ${newest.at} says`,
          remedy: 'Run verify-action with checks: deployment after each deployment; a backup notes what runs, too',
        };
      },
      'warning',
    );
  findings.after('compose file', 'last good release', () => judgeLastGood(facts, inputs), 'warning');
  judgeRegistry(findings, facts, inputs);
  if (inputs.history.length === 0) return;
  findings.check(
    'copies of the history',
    () => {
      if (copyNotices.length > 0) {
        return { detail: copyNotices.join('; '), remedy: 'Give the job permissions: actions: read, or history: ""' };
      }
      const copies = knownHistory.mirrors.length;
      return copies === 0 ? 'none yet; the next backup or rollback stores one' : `${copies} found on GitHub`;
    },
    'warning',
  );
}
