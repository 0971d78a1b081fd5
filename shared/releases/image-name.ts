import type { LocalImage } from '../host/survey.ts';
import { referenceOf } from './image-reference.ts';

/** `latest` says nothing of what it stands for; what it was tagged as before does. */
export function nameOf(id: string | null, composeImage: string | null, images: readonly LocalImage[]): string | null {
  const own = referenceOf(composeImage);
  const names = (images.find((image) => image.id === id)?.repoTags ?? [])
    .map(referenceOf)
    .filter((name) => name !== null && name.repository === own?.repository && name.tag !== own.tag)
    .map((name) => name?.tag ?? '');
  return names.toSorted()[0] ?? null;
}
