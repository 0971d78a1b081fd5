import { checkClock, checkDocker, checkFolders, checkTools } from '../../shared/backups/host-checks.ts';
import { checkEncryption } from '../../shared/backups/preflight.ts';
import type { Findings, Problem } from '../../shared/drill/finding.ts';
import { readHolder } from '../../shared/host/lock-holder.ts';
import { quoteForShell } from '../../shared/shell-quote.ts';
import type { Survey } from '../../shared/survey/survey.ts';
import type { SetupSurvey } from '../../shared/survey/survey-setup.ts';
import { counted, formatDuration, listed } from '../../shared/units.ts';
import type { VerifyInputs } from '../inputs.ts';

/** Checks the machine that everything else depends on, and the backup folders. */
export function judgeMachine(findings: Findings, seen: Survey, inputs: VerifyInputs): void {
  findings.check('tools', () => {
    checkTools(seen);
    return `bash ${seen.bash} and every other program needed`;
  });
  if (inputs.encryption !== 'none') {
    findings.check('encryption', () => {
      checkEncryption(seen, inputs);
      return `age is installed; backups are encrypted to ${counted(inputs.recipients.length, 'key')}`;
    });
  }
  findings.check('clock', () => {
    checkClock(seen);
    const off = Math.abs(seen.clockAhead);
    return off < 1_000 ? 'the same as the runner’s' : `differs from the runner’s by ${formatDuration(off)}`;
  });
  findings.check('docker', () => {
    checkDocker(seen);
    return `${seen.user} may use Docker ${'version' in seen.docker ? seen.docker.version : ''}`;
  });
  const { setup } = seen;
  if (setup === null) findings.unable('sessions', 'the survey did not look at it', null);
  else if (setup.killsSessions === 'unknown')
    findings.unable(
      'sessions',
      'logind does not say whether it kills what a session has started',
      sessionsRemedy(seen),
    );
  else findings.check('sessions', () => judgeSessions(setup, seen));
  findings.check('lock', () => judgeLock(seen, setup, inputs), 'warning');
  judgeFolders(findings, seen, inputs);
}

const sessionsRemedy = ({ user }: Survey) =>
  `On the host, as root, in /etc/systemd/logind.conf: KillExcludeUsers=root ${user}; then systemctl restart systemd-logind`;

/** A rollback must survive a lost connection. If logind kills it with the session, nobody finishes it. */
function judgeSessions({ killsSessions }: SetupSurvey, seen: Survey): string | Problem {
  if (killsSessions === 'yes') {
    return {
      detail: `a lost connection would end a rollback: logind ends all processes of ${seen.user} with the session (KillUserProcesses)`,
      remedy: sessionsRemedy(seen),
    };
  }
  if (killsSessions === null) return 'a lost connection does not end a rollback (this host has no systemd)';
  return 'a lost connection does not end a rollback';
}

function judgeLock({ lockHolder }: Survey, setup: SetupSurvey | null, { timeout }: VerifyInputs): string | Problem {
  if (lockHolder === null) {
    const left = setup?.leftHolder ?? null;
    return left === null ? 'free' : `free; ${left} died while holding it, and the next run will tidy up`;
  }
  const { since } = readHolder(lockHolder);
  const held = Date.now() - (since?.getTime() ?? Number.NaN);
  if (held <= timeout) return `held by ${lockHolder}, which is still running`;
  return {
    detail: `held by ${lockHolder}${Number.isNaN(held) ? '' : `, for ${formatDuration(held)}`}`,
    remedy: 'Check what it is doing: no backup or rollback can start before it finishes',
  };
}

function judgeFolders(findings: Findings, seen: Survey, inputs: VerifyInputs): void {
  const { backupDir } = inputs;
  findings.check('folders', () => {
    checkFolders(seen, inputs);
    const isThere = seen.folders.some(({ path }) => path === backupDir);
    return isThere
      ? `${backupDir} belongs to ${seen.user}`
      : `${backupDir} does not exist yet; the first backup creates it`;
  });
  const { setup } = seen;
  if (setup === null) findings.unable('modes', 'the survey did not look at it', null);
  else if (setup.unseen.length > 0) {
    const remedy = `As root: chown -R ${seen.user}: ${quoteForShell(backupDir)}`;
    findings.unable('modes', `${seen.user} cannot look into ${setup.unseen.join(', ')}`, remedy);
  } else findings.check('modes', () => judgeModes(setup, seen, backupDir));
}

/** Checks the same permissions that `setup-permissions.sh` used to correct. */
function judgeModes({ open, openCount }: SetupSurvey, { user }: Survey, backupDir: string): string | Problem {
  if (openCount === 0) return 'only the owner can reach the backups';
  const named = open.map(
    ({ path, mode, owner }) => `${path || '.'} (${owner === user ? `mode ${mode}` : `owned by ${owner}`})`,
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
