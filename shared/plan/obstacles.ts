import { cleanLine } from '../clean.ts';
import { Failure } from '../failure.ts';
import { supportsReset } from '../releases/compose-version.ts';
import { referenceOf } from '../releases/image-reference.ts';
import type { ComposeService } from '../releases/project.ts';
import type { PlanRequest } from './plan.ts';

/** Something that prevents a swap. */
export interface Obstacle {
  what: string;
  remedy: string;
}

const byHand =
  'Set "services" to the other services, and roll these back by hand: docker compose up -d with the earlier tag';

/** What prevents a swap of this service; null if nothing does. */
export function obstacleOf(service: ComposeService, { project, composeVersion }: PlanRequest): Obstacle | null {
  const { name, image, containerName, sharesWith } = service;
  if (image === null) {
    return {
      what: `${name} has no "image:" in the compose file`,
      remedy: `Give ${name} an "image:" in the compose file`,
    };
  }
  if (referenceOf(image) === null) {
    return {
      what: `the image of ${name} in the compose file is not a valid reference: ${cleanLine(image, 200)}`,
      remedy: `Check its variables on the host: docker compose config --images`,
    };
  }
  if (containerName !== null && !supportsReset(composeVersion)) {
    return {
      what: `${name} has a fixed name (${containerName}), which docker compose ${composeVersion.trim()} on the host cannot override`,
      remedy:
        'On the host, as root: apt-get install docker-compose-plugin (2.24.4 or newer), or remove "container_name:" from the compose file',
    };
  }
  const [shared] = sharesWith;
  if (shared !== undefined) {
    return { what: `${name} shares the network, processes or volumes of ${shared}`, remedy: byHand };
  }
  const sharer = [...project.services.values()].find((other) => other.sharesWith.includes(name));
  if (sharer === undefined) return null;
  return { what: `${sharer.name} shares the network, processes or volumes of ${name}`, remedy: byHand };
}

/** One failure that lists all obstacles. */
export function cannotSwap(obstacles: readonly Obstacle[]): Failure {
  const what = obstacles.map((each) => each.what).join('; ');
  return new Failure('cannot-swap', `It cannot be rolled back automatically: ${what}`, {
    hint: [...new Set(obstacles.map(({ remedy }) => remedy))].join('. '),
  });
}
