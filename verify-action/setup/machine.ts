import { checkClock, checkDocker, checkFolders, checkTools } from '../../shared/backups/preflight.ts';
import { readHolder } from '../../shared/host/lock-holder.ts';
import type { SetupSurvey, Survey } from '../../shared/host/survey.ts';
import { quoteForShell } from '../../shared/shell-quote.ts';
import { formatDuration, listed } from '../../shared/units.ts';
import type { Findings, Problem } from '../finding.ts';
import type { VerifyInputs } from '../inputs.ts';

/** What every program stands on, and the folders of the backups. */
export function judgeMachine(findings: Findings, seen: Survey, inputs: VerifyInputs): void {
  findings.check('tools', () => {
    checkTools(seen);
    return `bash ${seen.bash}, and every program that is needed`;
  });
  findings.check('clock', () => {
    checkClock(seen);
    const off = Math.abs(seen.clockAhead);
    return off < 1_000 ? 'the same as the runner’s' : `${formatDuration(off)} from the runner’s`;
  });
  findings.check('docker', () => {
    checkDocker(seen);
    return `${seen.user} may use Docker ${'version' in seen.docker ? seen.docker.version : ''}`;
  });
  const { setup } = seen;
  if (setup === null) findings.unable('sessions', 'it was not asked for', null);
  else if (setup.killsSessions === 'unknown')
    findings.unable(
      'sessions',
      'logind does not tell whether it ends what a session has started',
      sessionsRemedy(seen),
    );
  else findings.check('sessions', () => judgeSessions(setup, seen));
  findings.check('lock', () => judgeLock(seen, setup, inputs), 'warning');
  judgeFolders(findings, seen, inputs);
}

const sessionsRemedy = ({ user }: Survey) =>
  `On the host, as root, in /etc/systemd/logind.conf: KillExcludeUsers=root ${user}; then systemctl restart systemd-logind`;

/** A rollback goes on when its connection is lost; where logind ends it, nobody would carry it to its end. */
function judgeSessions({ killsSessions }: SetupSurvey, seen: Survey): string | Problem {
  if (killsSessions === 'yes') {
    return {
      detail: `logind ends what ${seen.user} has started when the connection is lost, a rollback too (KillUserProcesses)`,
      remedy: sessionsRemedy(seen),
    };
  }
  if (killsSessions === null) return 'nothing ends a rollback when the connection is lost: there is no systemd';
  return 'a rollback goes on when the connection is lost';
}

function judgeLock({ lockHolder }: Survey, setup: SetupSurvey | null, { timeout }: VerifyInputs): string | Problem {
  if (lockHolder === null) {
    const left = setup?.leftHolder ?? null;
    return left === null ? 'free' : `free; ${left} died with it, and the next run tidies up`;
  }
  const { since } = readHolder(lockHolder);
  const held = Date.now() - (since?.getTime() ?? Number.NaN);
  if (held <= timeout) return `held by ${lockHolder}, which is at work`;
  return {
    detail: `held by ${lockHolder}${Number.isNaN(held) ? '' : `, for ${formatDuration(held)}`}`,
    remedy: 'See what it does; no backup and no rollback can begin before it ends',
  };
}

function judgeFolders(findings: Findings, seen: Survey, inputs: VerifyInputs): void {
  const { backupDir } = inputs;
  findings.check('folders', () => {
    checkFolders(seen, inputs);
    const isThere = seen.folders.some(({ path }) => path === backupDir);
    return isThere ? `${backupDir} belongs to ${seen.user}` : `${backupDir} is made by the first backup`;
  });
  const { setup } = seen;
  if (setup === null) findings.unable('modes', 'it was not asked for', null);
  else if (setup.unseen.length > 0) {
    const remedy = `As root: chown -R ${seen.user}: ${quoteForShell(backupDir)}`;
    findings.unable('modes', `${seen.user} cannot look into ${setup.unseen.join(', ')}`, remedy);
  } else findings.check('modes', () => judgeModes(setup, seen, backupDir));
}

/** What `setup-permissions.sh` set right. */
function judgeModes({ open, openCount }: SetupSurvey, { user }: Survey, backupDir: string): string | Problem {
  if (openCount === 0) return 'only their owner can reach the backups';
  const named = open.map(
    ({ path, mode, owner }) => `${path || '.'} (${owner === user ? `mode ${mode}` : `of ${owner}`})`,
  );
  const isOthers = open.some(({ owner }) => owner !== user);
  const chmod = `chmod -R u=rwX,go= ${quoteForShell(backupDir)}`;
  return {
    detail: `others on the host can reach ${listed(named, 3, { total: openCount })}`,
    remedy: isOthers
      ? `As root: chown -R ${user}: ${quoteForShell(backupDir)} && ${chmod}`
      : `As ${user} or root: ${chmod}`,
  };
}
