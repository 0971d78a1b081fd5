import type { Survey } from '../../shared/host/survey.ts';
import { checkComposeVersion, noCompose } from '../../shared/releases/compose-version.ts';
import { readProject } from '../../shared/releases/project.ts';
import { tellUnset } from '../../shared/releases/unset-variable.ts';
import { counted } from '../../shared/units.ts';
import type { Findings, Problem } from '../finding.ts';
import type { VerifyInputs } from '../inputs.ts';

/** Checks that docker compose can work with the project's files. */
export function judgeCompose(findings: Findings, seen: Survey, inputs: VerifyInputs): void {
  const { compose } = seen;
  findings.after('docker', 'compose', () => {
    if (compose === null || 'error' in compose) return noCompose(compose?.error ?? '');
    checkComposeVersion(compose.version);
    return `docker compose ${compose.version}`;
  });
  findings.after('compose', 'compose file', () => judgeComposeFile(seen, inputs));
  if (inputs.envFile === null) return;
  findings.after('compose', 'env file', () => {
    const names = compose === null || 'error' in compose ? null : compose.envNames;
    if (names !== null) return `${inputs.envFile} sets ${names.length} variables`;
    return {
      detail: `${seen.user} cannot read ${inputs.envFile} in ${inputs.deployDir}`,
      remedy: 'Correct "env-file", or let that user read the file',
    };
  });
}

function judgeComposeFile({ compose, containers }: Survey, inputs: VerifyInputs): string | Problem {
  if (compose === null || 'error' in compose) return noCompose('');
  const files = inputs.composeFiles.join(', ');
  const check = `In ${inputs.deployDir} on the host: docker compose config --quiet`;
  if (compose.config.trim() === '') return { detail: `compose cannot read ${files}`, remedy: check };
  const { name, services } = readProject(compose.config, compose.template);
  const running = containers[0]?.project;
  if (running !== undefined && running !== name) {
    return {
      detail: `${files} belongs to the project "${name}", but the running project is "${running}"`,
      remedy: `Set "project-name": ${running}, or correct "compose-file"`,
    };
  }
  const [first, ...others] = compose.unset.map(tellUnset);
  if (first !== undefined) {
    const rest = others.length > 0 ? `, and ${others.length} more` : '';
    return { detail: `${first.what}${rest}`, remedy: `${first.remedy}. ${check}` };
  }
  return `${files} is valid, with ${counted(services.size, 'service')}`;
}
