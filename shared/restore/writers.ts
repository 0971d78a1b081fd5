import { isAtWork } from '../plan/container.ts';
import { startOrder } from '../plan/plan-rollback.ts';
import type { RestoreStep } from '../plan/restore-step.ts';
import { referenceOf } from '../releases/image-reference.ts';
import type { ComposeProject } from '../releases/project.ts';
import type { FoundContainer } from '../survey/survey.ts';
import type { ComposeSurvey } from '../survey/survey-compose.ts';
import type { Standing } from './standing.ts';

/** By what it is known who works with the database. */
export interface WriterFacts {
  project: ComposeProject;
  containers: readonly FoundContainer[];
  /** With what each container was created. */
  settings: ComposeSurvey['settings'];
  /** The service of the database, and the services that no rollback touches. */
  databaseService: string;
  untouched: ReadonlySet<string>;
  /** The services that are swapped: they stop anyway. */
  swapped: ReadonlySet<string>;
  standing: Pick<Standing, 'sessions' | 'services'>;
}

/** What stands between an application and its database, under a name of its own. */
const poolers = /(^|[/_-])(pgbouncer|pgcat|pgpool(-ii)?|odyssey|supavisor|pgdog)([_-][^/]*)?$/i;

/**
 * The services that have to stop while the databases exchange their names, besides those that are swapped: whatever has a session in the
 * database, depends on it, or names it in its environment. In the order in which they start again.
 */
export function writersOf(facts: WriterFacts): RestoreStep['restarted'] {
  const { project, containers, untouched, swapped } = facts;
  return startOrder(project).flatMap((service) => {
    const own = containers.filter((container) => container.service === service && isAtWork(container));
    const [first] = own;
    if (first === undefined || untouched.has(service) || swapped.has(service)) return [];
    const why = whyStopped(service, own, facts);
    return why === null ? [] : [{ service, imageId: first.imageId, why }];
  });
}

function whyStopped(service: string, own: readonly FoundContainer[], facts: WriterFacts): string | null {
  const { standing, project, settings, databaseService } = facts;
  const addresses = [...standing.services].filter(([, of]) => of === service).map(([address]) => address);
  if (standing.sessions.some(({ address }) => address !== null && addresses.includes(address)))
    return 'it is connected to the database';
  const databases = [databaseService, ...poolersIn(project)].filter((name) => name !== service);
  const depends = project.services.get(service)?.dependsOn.find((other) => databases.includes(other.service));
  if (depends !== undefined) return `it depends on ${depends.service}`;
  const hosts = databases.flatMap((name) => hostNames(name, facts));
  const values = settings
    .filter(({ id }) => own.some((container) => container.id === id))
    .flatMap(({ environment }) => environment ?? [])
    .map((line) => line.slice(line.indexOf('=') + 1));
  const named = hosts.find((host) => values.some((value) => names(value, host)));
  return named === undefined ? null : `one of its settings names ${named}`;
}

function poolersIn({ services }: ComposeProject): string[] {
  return [...services.values()]
    .filter(({ image }) => poolers.test(referenceOf(image)?.path ?? ''))
    .map(({ name }) => name);
}

/** The names by which containers of the project reach a service. */
function hostNames(service: string, { project, containers }: WriterFacts): string[] {
  const found = project.services.get(service);
  const own = containers
    .filter((container) => container.service === service)
    .map(({ name }) => name.replace(/^\//, ''));
  return [...new Set([service, ...(found?.aliases ?? []), ...own])];
}

/** Whether a value is this host, or an address or a list of settings with it: `db`, `db:5432`, `postgres://u:p@db/shop`, `host=db`. */
function names(value: string, host: string): boolean {
  const quoted = host.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`(^|[@/,;=\\s])${quoted}($|[:/,;?\\s])`).test(value);
}
