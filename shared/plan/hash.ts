import { createHash } from 'node:crypto';
import { byText } from '../order.ts';
import type { RunningImage } from '../releases/release.ts';
import type { Plan } from './plan.ts';

/**
 * What decides, as one SHA-256 in hex. Neither ids of containers nor their health: they change while a plan is looked at. Nor whether the target is on the host
 * already: a plan stays the same when a first attempt has pulled it.
 */
export function hashOf({ project, services, from, to, projectState }: Omit<Plan, 'notes' | 'hash'>): string {
  const decided = services.map(({ service, strategy, toImage, fixedName, anonymousVolumes: volumes, retag }) => ({
    service,
    strategy,
    toImage: whatDecides(toImage),
    fixedName,
    volumes,
    retag,
  }));
  const target = Object.fromEntries(Object.entries(to).map(([service, image]) => [service, whatDecides(image)]));
  return createHash('sha256').update(canonical({ project, decided, from, target, projectState })).digest('hex');
}

/** A digest says which image is meant; where there is none, its id does. */
function whatDecides(image: RunningImage): RunningImage {
  return image.digest === null ? image : { ...image, imageId: null };
}

/** JSON with its keys in order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => byText(a, b)))
      : part,
  );
}
