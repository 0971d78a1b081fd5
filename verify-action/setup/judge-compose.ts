import { checkNamedFiles } from '../../shared/backups/host-checks.ts';
import type { Findings, Problem } from '../../shared/drill/finding.ts';
import { composeCommand } from '../../shared/releases/compose-command.ts';
import { demandCompose } from '../../shared/releases/compose-version.ts';
import { demandDeployedFiles } from '../../shared/releases/deployed-files.ts';
import { readableProject } from '../../shared/releases/readable-project.ts';
import { describeUnset } from '../../shared/releases/unset-variable.ts';
import type { Survey } from '../../shared/survey/survey.ts';
import { counted, listed } from '../../shared/units.ts';
import type { VerifyInputs } from '../inputs.ts';

/** Checks that docker compose can work with the project's files. */
export function judgeCompose(findings: Findings, seen: Survey, inputs: VerifyInputs): void {
  const { compose } = seen;
  findings.after('docker', 'compose', () => {
    const { version } = demandCompose(seen);
    return `docker compose ${version}`;
  });
  findings.after('compose', 'compose file', () => judgeComposeFile(seen, inputs));
  if (inputs.envFile === null) return;
  findings.after('compose', 'env file', () => {
    checkNamedFiles(seen, { ...inputs, composeFiles: [] });
    const names = compose === null || 'error' in compose ? null : compose.envNames;
    if (names !== null) return `${inputs.envFile} sets ${counted(names.length, 'variable')}`;
    return {
      detail: `${seen.user} cannot read ${inputs.envFile} in ${inputs.deployDir}`,
      remedy: 'Correct "env-file", or let that user read the file',
    };
  });
}

/** A variable that is not set is a warning, as in a rollback: compose takes it for empty. */
function judgeComposeFile(seen: Survey, inputs: VerifyInputs): string | Problem {
  checkNamedFiles(seen, { ...inputs, envFile: null });
  const compose = demandCompose(seen);
  demandDeployedFiles(compose, inputs.composeFiles);
  const files = compose.call.files.join(', ');
  const { services } = readableProject(seen, inputs);
  const unset = compose.unset.map(describeUnset);
  const [first] = unset;
  if (first !== undefined) {
    const named = listed(
      unset.map(({ what }) => what),
      1,
    );
    return {
      detail: named,
      remedy: `${first.remedy}. Then check it. ${composeCommand({ ...inputs, call: compose.call }, seen.user)} config --quiet`,
      severity: 'warning',
    };
  }
  return `${files} is valid, with ${counted(services.size, 'service')}`;
}
