import { createHash } from 'node:crypto';
import { canonicalJson } from '../canonical-json.ts';
import type { RunningImage } from '../releases/release.ts';
import type { Plan } from './plan.ts';

/**
 * A SHA-256 in hex over everything that the plan decides. Ids and health of containers are left out: they change while
 * somebody reviews the plan. So is whether the host has the target already: a first attempt may have pulled it.
 */
export function hashOf({ project, services, from, to, restore, projectState }: Omit<Plan, 'notes' | 'hash'>): string {
  const decided = services.map(({ service, strategy, toImage, fixedName, anonymousVolumes: volumes, retag }) => ({
    service,
    strategy,
    toImage: whatDecides(toImage),
    fixedName,
    volumes,
    retag,
  }));
  const target = Object.fromEntries(Object.entries(to).map(([service, image]) => [service, whatDecides(image)]));
  const restored =
    restore === null
      ? {}
      : {
          restore: {
            id: restore.backupId,
            sha256: restore.sha256,
            database: restore.database,
            afterSql: restore.afterSqlSha256,
            restarted: restore.restarted.map(({ service }) => service),
          },
        };
  // The key is older than the field's name: it stays, so that the hash of a reviewed plan stays valid.
  return createHash('sha256')
    .update(canonicalJson({ project, decided, from, target, world: projectState, ...restored }))
    .digest('hex');
}

/** An image is identified by its digest, or by its id if there is no digest. */
function whatDecides(image: RunningImage): RunningImage {
  return image.digest === null ? image : { ...image, imageId: null };
}
