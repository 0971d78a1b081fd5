import { referenceOf } from '../releases/image-reference.ts';
import { moves } from '../releases/moving-tag.ts';
import type { RunningImage } from '../releases/release.ts';

/** The target image of one service. The repository is always that of the compose file. */
export interface WantedImage {
  tag: string | null;
  digest: string | null;
  imageId: string | null;
}

/**
 * Whether an image that ran is the one that is wanted. By what identifies both; if nothing does, a tag is enough, unless it
 * moves.
 * @param repository of the wanted image
 */
export function isThatImage(
  { tag, digest, imageId }: WantedImage,
  known: RunningImage,
  repository: string | undefined,
): boolean {
  if (digest !== null && known.digest !== null && digest === known.digest) return true;
  if (imageId !== null && known.imageId !== null) return imageId === known.imageId;
  if (digest !== null && known.digest !== null) return false;
  return (
    tag !== null &&
    tag === known.tag &&
    !moves(tag) &&
    (known.image === null || referenceOf(known.image)?.repository === repository)
  );
}
