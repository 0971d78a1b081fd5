import { askedDatabase } from '../shared/backups/find-database.ts';
import { Findings, type Group, type Problem } from '../shared/drill/finding.ts';
import type { Survey } from '../shared/survey/survey.ts';

/**
 * Checks that the project's own database is up, for a run that looks at its backups alone: they may be well while it is down.
 * The checks of the set-up and of the deployment look at it themselves. Says nothing where there is no project, or where it is
 * unknown which of several databases is meant.
 */
export function judgeLiveDatabase(group: Group, seen: Survey): Findings {
  const findings = new Findings(group);
  const { containers, candidates } = seen;
  if (containers.length > 0 && candidates.length < 2) findings.check('database', () => judgeContainer(seen));
  return findings;
}

function judgeContainer(seen: Survey): string | Problem {
  const [candidate] = seen.candidates;
  if (candidate === undefined) {
    return {
      detail: 'the project has no container of a database',
      remedy: 'On the host: docker ps --all. Start it with docker compose, or set "db-service"',
    };
  }
  const { service, state } = candidate;
  const container = candidate.container.slice(0, 12);
  if (state !== 'running') {
    return {
      detail: `its container (service ${service}) is not running: ${state}`,
      remedy:
        state === 'paused'
          ? `On the host: docker unpause ${container}`
          : `On the host: docker start ${container}, then docker logs --tail 50 ${container}`,
    };
  }
  return `"${askedDatabase(seen).database}" in the service ${service} accepts connections`;
}
