import { cleanLine } from '../clean.ts';
import { Failure } from '../failure.ts';
import { supportsReset } from '../releases/compose-version.ts';
import { referenceOf } from '../releases/image-reference.ts';
import type { ComposeService } from '../releases/project.ts';
import type { SettingsDrift } from '../releases/service-settings.ts';
import type { FoundContainer } from '../survey/survey.ts';
import type { Sharer } from '../survey/survey-swap.ts';
import { listed } from '../units.ts';
import { anonymousVolumes, isAtWork } from './container.ts';
import { isJob } from './jobs.ts';
import type { PlanRequest } from './plan-request.ts';
import { mostNames } from './settings.ts';

/** What can prevent a swap. docs/rollback.md has a row for each. */
export const obstacleKinds = [
  'no-image',
  'bad-image',
  'fixed-name',
  'lost-value',
  'paused',
  'running-job',
  'compose-only',
  'provider',
  'shared-namespace',
  'foreign-sharer',
  'shared-volumes',
] as const;

/** Something that prevents a swap. */
export interface Obstacle {
  kind: (typeof obstacleKinds)[number];
  what: string;
  remedy: string;
}

const byHand =
  'Set "services" to the other services, and roll these back by hand, with the earlier tag: docker compose up -d';

/** What prevents a swap of this service; null if nothing does. */
export function obstacleOf(service: ComposeService, request: PlanRequest): Obstacle | null {
  const own = request.containers.filter((container) => container.service === service.name);
  return (
    obstacleInFile(service, request) ??
    obstacleInState(service, own, request) ??
    sharedNamespace(service, request) ??
    foreignSharer(service, own, request) ??
    sharedVolumes(service, request)
  );
}

function obstacleInFile(service: ComposeService, { project, composeVersion }: PlanRequest): Obstacle | null {
  const { name, image, containerName, composeOnly } = service;
  if (composeOnly.length > 0) {
    return {
      kind: 'compose-only',
      what: `${name} has ${composeOnly.join(', ')} in the compose file, which works only if compose itself starts and stops it`,
      remedy: byHand,
    };
  }
  const provider = service.dependsOn
    .map((each) => project.services.get(each.service))
    .find((other) => other?.composeOnly.includes('provider'));
  if (provider !== undefined) {
    return {
      kind: 'provider',
      what: `${name} gets its settings from the provider of ${provider.name}, which runs only when compose itself starts it`,
      remedy: byHand,
    };
  }
  if (image === null) {
    return {
      kind: 'no-image',
      what: `${name} has no "image:" in the compose file`,
      remedy: `Give ${name} an "image:" in the compose file`,
    };
  }
  if (referenceOf(image) === null) {
    return {
      kind: 'bad-image',
      what: `the image of ${name} in the compose file is not a valid reference: ${cleanLine(image, 200)}`,
      remedy: `Check its variables on the host: docker compose config --images`,
    };
  }
  if (containerName === null || supportsReset(composeVersion)) return null;
  return {
    kind: 'fixed-name',
    what: `${name} has a fixed name (${containerName}), which docker compose ${composeVersion.trim()} on the host cannot override`,
    remedy:
      'On the host, as root: apt-get install docker-compose-plugin (2.24.4 or newer), or remove "container_name:" from the compose file',
  };
}

function obstacleInState(
  { name }: ComposeService,
  own: readonly FoundContainer[],
  { project }: PlanRequest,
): Obstacle | null {
  if (own.some(({ state }) => state === 'paused')) {
    return {
      kind: 'paused',
      what: `${name} is paused`,
      remedy: `In deploy-dir on the host: docker compose unpause ${name}`,
    };
  }
  if (!isJob(name, project) || !own.some(isAtWork)) return null;
  return {
    kind: 'running-job',
    // It cannot be put back into the middle of its work, should the rollback fail.
    what: `the job ${name} is still running`,
    remedy: `Wait until it has ended, or in deploy-dir on the host: docker compose stop ${name}`,
  };
}

function sharedNamespace({ name, sharesWith }: ComposeService, { project }: PlanRequest): Obstacle | null {
  const [shared] = sharesWith;
  if (shared !== undefined) {
    return {
      kind: 'shared-namespace',
      what: `${name} shares the network, processes or memory of ${shared}`,
      remedy: byHand,
    };
  }
  const sharer = [...project.services.values()].find((other) => other.sharesWith.includes(name));
  if (sharer === undefined) return null;
  return {
    kind: 'shared-namespace',
    what: `${sharer.name} shares the network, processes or memory of ${name}`,
    remedy: byHand,
  };
}

/** Containers anywhere on the host that could not be started again without the old container. */
function foreignSharer(
  { name }: ComposeService,
  own: readonly FoundContainer[],
  { swapFacts }: PlanRequest,
): Obstacle | null {
  const sharers = swapFacts.sharers.filter((sharer) => own.some((container) => isOf(sharer, container)));
  if (sharers.length === 0) return null;
  const names = [...new Set(sharers.map((sharer) => sharer.name))];
  const what = sharers.map((sharer) => `${sharer.name} uses the ${sharer.what} of ${name}`);
  return {
    kind: 'foreign-sharer',
    what: [...new Set(what)].join(' and '),
    remedy: `Remove ${names.join(' and ')} on the host for the rollback (docker rm --force ${names.join(' ')}) and create it again afterwards, or set "services" to the other services`,
  };
}

/** Docker takes an id, the beginning of one, or a name. */
function isOf({ of }: Sharer, { id, name }: FoundContainer): boolean {
  return of === name.replace(/^\//, '') || (/^[0-9a-f]{12,64}$/.test(of) && id.startsWith(of));
}

/** Named volumes and folders of the host are kept, and so are the anonymous volumes of a single container. */
function sharedVolumes({ name, volumesFrom }: ComposeService, { project, containers }: PlanRequest): Obstacle | null {
  const isLost = (service: string) => {
    const own = containers.filter((container) => container.service === service);
    return own.length > 1 && Object.keys(anonymousVolumes(own)).length > 0;
  };
  const pairs = [
    ...volumesFrom.map((from) => [name, from] as const),
    ...[...project.services.values()]
      .filter((other) => other.volumesFrom.includes(name))
      .map((other) => [other.name, name] as const),
  ];
  const lost = pairs.find(([, from]) => isLost(from));
  if (lost === undefined) return null;
  return {
    kind: 'shared-volumes',
    what: `${lost[0]} mounts the volumes of ${lost[1]}, which has several containers with anonymous volumes`,
    remedy: `Give the volumes of ${lost[1]} names in the compose file. ${byHand}`,
  };
}

/** One failure that lists all obstacles. */
export function cannotSwap(obstacles: readonly Obstacle[]): Failure {
  const what = [...new Set(obstacles.map((each) => each.what))].join('; ');
  return new Failure('cannot-swap', `It cannot be rolled back automatically: ${what}`, {
    hint: [...new Set(obstacles.map(({ remedy }) => remedy))].join('. '),
  });
}

/**
 * What prevents a swap because the target would lack values that the running container has; null if nothing does.
 * @param envFile where the variables belong, on the host
 */
export function lostSettings({ service, lost }: SettingsDrift, envFile: string): Obstacle | null {
  if (lost.length === 0) return null;
  const settings = listed(
    lost.map(({ setting }) => setting),
    mostNames,
  );
  const names = [...new Set(lost.flatMap(({ variable }) => variable ?? []))];
  return {
    kind: 'lost-value',
    what: `${service} runs with a value for ${settings}, but the variable that holds it is not set on the host now`,
    remedy: `Set ${names.length === 0 ? 'that variable' : listed(names, mostNames)} in ${envFile}, with the value that the deployment had`,
  };
}
