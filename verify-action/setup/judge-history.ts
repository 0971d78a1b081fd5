import type { Findings } from '../../shared/drill/finding.ts';
import { describeHold, parseHold } from '../../shared/history/hold.ts';
import { newestKnown } from '../../shared/history/observation.ts';
import { commandToEnd } from '../../shared/host/backup-folder.ts';
import { readHolder } from '../../shared/host/lock-holder.ts';
import { releaseOf, sameRelease } from '../../shared/releases/release.ts';
import type { Survey } from '../../shared/survey/survey.ts';
import { demandJournals } from '../../shared/transaction/unfinished.ts';
import { counted } from '../../shared/units.ts';
import type { VerifyInputs } from '../inputs.ts';
import { judgeLastGood, judgeRegistry } from './judge-images.ts';
import type { SetupFacts } from './setup-facts.ts';

/** Checks for unfinished rollbacks, and for a hold on deployments. */
export function judgeTransactions(findings: Findings, seen: Survey, { backupDir }: VerifyInputs): void {
  findings.check('transactions', () => {
    demandJournals(seen, backupDir);
    const [first] = seen.unfinished;
    if (first === undefined) return 'no rollback is unfinished';
    // Only rollback-action as holder of the lock means that a rollback is running.
    if (readHolder(seen.lockHolder ?? '').action === 'rollback-action')
      return `rollback ${seen.unfinished.join(', ')} is running`;
    return {
      detail: `the rollback ${seen.unfinished.join(', ')} is unfinished`,
      remedy: `The next backup or rollback finishes it. By hand on the host: ${commandToEnd(backupDir, first)}`,
    };
  });
  findings.check(
    'hold',
    () =>
      seen.hold === null
        ? 'deployments are not on hold'
        : {
            detail: describeHold(parseHold(seen.hold)),
            remedy:
              'Once the cause is fixed, start the deployment with the box "release-hold" ticked (release-hold: true of backup-action)',
          },
    'warning',
  );
}

/** Checks that the history is readable and names a release to roll back to. */
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
        remedy: `See ${backupDir}/rollback/history.jsonl on the host. Unreadable lines are skipped`,
      };
    },
    'warning',
  );
  const running = releaseOf(seen.containers, seen.images);
  // The deployment checks, if asked for, say more about the running release.
  if (!inputs.checks.includes('deployment'))
    findings.after(
      'project',
      'release',
      () => {
        const newest = newestKnown(knownHistory.host, environment);
        if (newest !== null && sameRelease(newest.release, running))
          return `the running release matches the record of ${newest.at}`;
        return {
          detail:
            newest === null
              ? 'the history has no release on record'
              : `the running release does not match the record of ${newest.at}`,
          remedy: 'After each deployment, run verify-action with checks: deployment. A backup records the release too',
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
        return {
          detail: copyNotices.join('; '),
          remedy: copyNotices.some((text) => text.includes('actions: read'))
            ? 'Give the job the permission actions: read, or set history: ""'
            : 'The history on the host is complete without them. To do without copies, set history: ""',
        };
      }
      const copies = knownHistory.mirrors.length;
      return copies === 0 ? 'none yet; the next backup or rollback stores one' : `${copies} found on GitHub`;
    },
    'warning',
  );
}
