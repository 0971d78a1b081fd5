import { type MountedVolume, type VolumeContents, volumeKey } from '../releases/compare-volumes.ts';
import type { FoundContainer } from '../survey/survey.ts';

// Facts about a container, as the survey found it.

export function isAtWork({ state }: FoundContainer): boolean {
  return state === 'running' || state === 'restarting';
}

/** Anonymous volumes, by destination. */
export function anonymousVolumes(own: readonly FoundContainer[]): Record<string, string> {
  const volumes = own.flatMap((container) => container.volumes).filter(isAnonymous);
  return Object.fromEntries(volumes.map(({ name, destination }) => [destination, name]));
}

/** Docker names anonymous volumes with 64 hex digits. */
function isAnonymous({ name }: { name: string }): boolean {
  return /^[0-9a-f]{64}$/.test(name);
}

export function mountedVolumes({ id, imageId, volumes }: FoundContainer): MountedVolume[] {
  return volumes.map((volume) => ({
    container: id,
    imageId,
    isAnonymous: isAnonymous(volume),
    destination: volume.destination,
  }));
}

/** Where a single container has a volume over files of its image, and what is in it; several share what is named. */
export function volumesOverFiles(
  [container]: readonly FoundContainer[],
  contents: VolumeContents,
): { destination: string; content: 'only' | 'also' }[] {
  if (container === undefined) return [];
  return mountedVolumes(container).flatMap((volume) => {
    const content = contents.get(volumeKey(volume));
    return content === undefined ? [] : [{ destination: volume.destination, content }];
  });
}
