import { byText } from '../by-text.ts';
import type { LocalImage } from '../survey/survey-compose.ts';
import { referenceOf } from './image-reference.ts';
import { moves } from './moving-tag.ts';
import { isImageId } from './release.ts';

/** An image as a container or a record names it. */
export interface NamedImage {
  /** The reference: that of the container, `Config.Image`. */
  image: string | null;
  tag: string | null;
  imageId: string | null;
}

/**
 * The tag by which people know an image. Its own comes first, as it is the one that compose uses. Only if that moves, or
 * there is none, another tag of the same repository says more; `latest` is the last resort.
 * @param file the reference in the compose file: its repository counts if the image's own reference is only an id
 */
export function nameOf(named: NamedImage, file: string | null, images: readonly LocalImage[]): string | null {
  const own = named.tag;
  if (own !== null && !moves(own)) return own;
  const reference = named.image === null || isImageId(named.image) ? file : named.image;
  const repository = referenceOf(reference)?.repository;
  const others = (images.find(({ id }) => id === named.imageId)?.repoTags ?? [])
    .map(referenceOf)
    .flatMap((name) => (name !== null && name.repository === repository && name.tag !== null ? [name.tag] : []))
    .filter((tag) => tag !== own)
    .toSorted(byUse);
  const best = others[0];
  if (best !== undefined && (!moves(best) || own === null || own === 'latest') && best !== 'latest') return best;
  return own ?? best ?? null;
}

/** What does not move first, then versions, then what says most. */
function byUse(one: string, other: string): number {
  const rank = (tag: string) => (tag === 'latest' ? 3 : moves(tag) ? 2 : /^v?\d+\./i.test(tag) ? 0 : 1);
  return rank(one) - rank(other) || other.length - one.length || byText(one, other);
}
