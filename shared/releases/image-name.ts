import type { LocalImage } from '../host/survey.ts';
import { referenceOf } from './image-reference.ts';

/** A name for people: another tag of the same repository, as the tag in the compose file may be `latest` for everything. */
export function nameOf(id: string | null, composeImage: string | null, images: readonly LocalImage[]): string | null {
  const own = referenceOf(composeImage);
  const names = (images.find((image) => image.id === id)?.repoTags ?? [])
    .map(referenceOf)
    .filter((name) => name !== null && name.repository === own?.repository && name.tag !== own.tag)
    .map((name) => name?.tag ?? '');
  return names.toSorted()[0] ?? null;
}
