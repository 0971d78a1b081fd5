import { byText } from '../by-text.ts';
import { Failure } from '../failure.ts';
import { type DatabaseFacts, readProbe } from '../postgres/probe.ts';
import type { Survey } from '../survey/survey.ts';
import { checkProject, type HostNeeds } from './host-checks.ts';

/** By what the database is found. */
export interface DatabaseNeeds extends Pick<HostNeeds, 'deployDir' | 'projectName'> {
  databaseService: string | null;
}

/** The container in which the database runs. */
export interface FoundDatabase {
  id: string;
  /** In Docker. */
  name: string;
  service: string;
}

/**
 * The container of the database, if the survey found exactly one that runs.
 * @throws Failure `no-project`, `several-projects`, `no-database`, `several-databases`, `database-not-running`
 */
export function findDatabase(survey: Survey, needs: DatabaseNeeds): FoundDatabase {
  checkProject(survey, needs);
  const services = [...new Set(survey.containers.map(({ service }) => service))].toSorted(byText).join(', ');
  const [candidate, ...others] = survey.candidates;
  if (candidate === undefined) {
    throw needs.databaseService === null
      ? new Failure('no-database', `No service of the project runs a PostgreSQL image; it has ${services}`, {
          hint: 'Set "db-service" to the service of the database',
        })
      : new Failure('no-database', `The project has no service "${needs.databaseService}"; it has ${services}`, {
          hint: 'Correct the input "db-service", or start the service',
        });
  }
  if (others.length > 0) {
    throw new Failure(
      'several-databases',
      `Several containers could be the database: ${survey.candidates.map(({ service }) => service).join(', ')}`,
      { hint: 'Set "db-service" to one service that has one container' },
    );
  }
  if (candidate.state !== 'running') {
    throw new Failure(
      'database-not-running',
      `The database's container (service ${candidate.service}) is not running: ${candidate.state}`,
      {
        hint:
          candidate.state === 'paused'
            ? `On the host: docker unpause ${candidate.container.slice(0, 12)}`
            : `On the host: docker start ${candidate.container.slice(0, 12)}, then docker logs --tail 50 ${candidate.container.slice(0, 12)}`,
      },
    );
  }
  const name = survey.containers.find(({ id }) => id === candidate.container)?.name ?? candidate.container;
  return { id: candidate.container, name: name.replace(/^\//, ''), service: candidate.service };
}

/**
 * What the database said of itself when it was asked.
 * @throws Failure `database-silent`, `database-refuses`
 */
export function askedDatabase({ probe }: Survey): DatabaseFacts {
  if (probe === null || 'error' in probe) {
    throw new Failure('database-silent', 'No command could be run in the database container', {
      hint: 'On the host: docker ps, then docker logs NAME, with the name of that container',
      cause: probe?.error,
    });
  }
  return readProbe(probe.output);
}
