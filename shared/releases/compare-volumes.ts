import { randomBytes } from 'node:crypto';
import type { Connection } from '../host/connection.ts';
import type { Program } from '../host/program.ts';
import { isImageId } from './release.ts';

/** A volume of a container. */
export interface MountedVolume {
  /** The container's id. */
  container: string;
  /** The id of its image. */
  imageId: string;
  isAnonymous: boolean;
  /** In the container. */
  destination: string;
}

/** What is in a volume over files of the image: only those, as Docker has put them there; or others as well. */
export type VolumeContent = 'only' | 'also';

/** By `volumeKey`; without the volumes over whose folder the image has no files, and those that could not be looked at. */
export type VolumeContents = ReadonlyMap<string, VolumeContent>;

export const volumeKey = ({ container, destination }: Pick<MountedVolume, 'container' | 'destination'>): string =>
  `${container} ${destination}`;

export const program: Program<{ token: string; volume: readonly string[] }> = {
  name: 'compare-volumes',
  step: 'the comparison of volumes with images',
  scripts: [new URL('./compare-volumes.sh', import.meta.url)],
};

/** Compares volumes with what the images of their containers have in the same place. Starts and changes nothing. */
export async function compareVolumes(
  connection: Connection,
  volumes: readonly MountedVolume[],
  signal: AbortSignal,
  onLog: (line: string) => void,
): Promise<VolumeContents> {
  const asked = volumes.filter(({ imageId, destination }) => isImageId(imageId) && !/[\n\r\0]/.test(destination));
  if (asked.length === 0) return new Map();
  const volume = asked.map(
    ({ container, imageId, isAnonymous, destination }) =>
      `${container} ${imageId} ${isAnonymous ? 'anonymous' : 'named'} ${destination}`,
  );
  const run = connection.run(
    program,
    { token: randomBytes(8).toString('hex'), volume },
    { deadline: 120_000, atEnd: 'end', signal, onLog },
  );
  const records = await run.result;
  return new Map(
    records.all('volume').flatMap((line) => {
      const [, content, key = ''] = /^(only|also) (.+)$/s.exec(line) ?? [];
      return content === 'only' || content === 'also' ? [[key, content] as const] : [];
    }),
  );
}
