import type { Connection } from '../host/connection.ts';
import { type Survey, type SurveyRequest, survey } from '../survey/survey.ts';
import type { ComposeExtras, ComposeSurvey } from '../survey/survey-compose.ts';
import { referenceOf } from './image-reference.ts';
import { readServices } from './project.ts';
import { valuesBehind } from './template-variables.ts';

/**
 * Surveys the host. Surveys it a second time if compose must be told more than its files say: the profiles with which
 * services were started, or a tag that only the deployer's shell had.
 */
export async function surveyProject(
  connection: Connection,
  request: Omit<SurveyRequest, 'compose'>,
  signal: AbortSignal,
  onLog: (line: string) => void,
): Promise<Survey> {
  const look = (compose: ComposeExtras) => survey(connection, { ...request, compose }, signal, onLog);
  const seen = await look({ profiles: [], variables: [] });
  const extras = extrasFor(seen);
  if (extras === null) return seen;
  const again = await look(extras);
  if (again.compose === null || 'error' in again.compose) return again;
  return { ...again, compose: { ...again.compose, idle: idleServices(seen, again.compose) } };
}

/** What compose must be told, besides its files, to see the project that is running; null if nothing. */
export function extrasFor({ compose, containers }: Pick<Survey, 'compose' | 'containers'>): ComposeExtras | null {
  if (compose === null || 'error' in compose) return null;
  const written = readServices(compose.template);
  if (written === null) return null;
  const known = readServices(compose.config);
  const running = new Set(containers.map(({ service }) => service));
  const profiles = [...running].flatMap((service) => {
    const [profile] = written.get(service)?.profiles ?? [];
    return profile === undefined || known?.has(service) === true ? [] : [profile];
  });

  const variables = new Map<string, string>();
  // The newest container comes last, and so has the last word.
  for (const { service, image } of containers.toSorted((a, b) => Date.parse(a.created) - Date.parse(b.created))) {
    const template = written.get(service)?.image ?? null;
    const rendered = known?.get(service)?.image ?? null;
    // What our own rollbacks create is named by its digest as well.
    const [ran = ''] = image.split('@');
    if (template === null || rendered === ran || referenceOf(ran) === null) continue;
    for (const [name, value] of valuesBehind(template, ran) ?? []) {
      // What the env file sets may say something else on purpose.
      if (value !== '' && compose.envNames?.includes(name) !== true) variables.set(name, value);
    }
  }
  if (profiles.length === 0 && variables.size === 0) return null;
  return {
    profiles: [...new Set(profiles)],
    variables: [...variables].map(([name, value]) => ({ name, value })),
  };
}

/** Services that a profile has brought along although nobody has started them. */
function idleServices({ compose, containers }: Survey, { config }: ComposeSurvey): string[] {
  const before = compose === null || 'error' in compose ? null : readServices(compose.config);
  const running = new Set(containers.map(({ service }) => service));
  const written = readServices(config) ?? new Map<string, { profiles: string[] }>();
  return [...written]
    .filter(([service, { profiles }]) => profiles.length > 0 && !running.has(service) && !before?.has(service))
    .map(([service]) => service);
}
