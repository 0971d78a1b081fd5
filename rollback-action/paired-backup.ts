import { Failure } from '../shared/failure.ts';
import { describeNearly, pairedSet, targetImages } from '../shared/plan/paired-set.ts';
import type { Plan } from '../shared/plan/plan.ts';
import type { Wanted } from '../shared/plan/wanted-release.ts';
import type { RunningImage } from '../shared/releases/release.ts';
import type { BackupSet } from '../shared/sets/catalogue.ts';
import type { Manifest } from '../shared/sets/manifest.ts';
import type { Survey } from '../shared/survey/survey.ts';
import type { RollbackInputs } from './inputs.ts';

/** What the target is known by. */
interface Ground {
  seen: Survey;
  plan: Plan;
  wanted: Wanted;
  ignored: ReadonlySet<string>;
}

/** The images by which the backup of the target is found, by service. */
export const imagesOfTarget = ({ seen, plan, wanted, ignored }: Ground): Map<string, RunningImage> =>
  new Map([...targetImages(plan, wanted, ignored)].map(([service, image]) => [service, knownHere(image, seen)]));

/** The backup that belongs to the target. @throws Failure `no-backup` */
export function pairedId(
  sets: readonly BackupSet[],
  target: ReadonlyMap<string, RunningImage>,
  database: string,
  { environment }: Pick<RollbackInputs, 'environment'>,
  { clockAhead }: Survey,
): string {
  const paired = pairedSet({ sets, database, environment, target });
  if (paired.set !== null) return paired.set.id;
  const nearly = describeNearly(paired.nearly, new Date(Date.now() + clockAhead));
  throw new Failure('no-backup', `No backup belongs to the target: ${paired.why}`, {
    hint: [
      'Nothing was changed. Set "restore-database" to the id of a backup, or to none.',
      ...(nearly.length === 0 ? [] : ['These come close:', ...nearly]),
    ].join('\n'),
  });
}

/** A tag that nothing else identifies is taken for what it names on this host; after the pull, `demandPaired` looks again. */
function knownHere(image: RunningImage, { compose }: Survey): RunningImage {
  if (image.digest !== null || image.imageId !== null || compose === null || 'error' in compose) return image;
  const found = compose.images.find(({ repoTags }) => image.image !== null && repoTags.includes(image.image));
  return found === undefined ? image : { ...image, imageId: found.id };
}

/**
 * Refuses if the pull has brought another image than the one by which the backup was chosen.
 * @param pairedWith the images by service; empty if the backup was named
 * @throws Failure `no-backup`
 */
export function demandPaired(
  { pairedWith, manifest }: { pairedWith: ReadonlyMap<string, RunningImage>; manifest: Manifest },
  { to }: Pick<Plan, 'to'>,
): void {
  const other = [...pairedWith].find(([service, { imageId }]) => imageId !== null && to[service]?.imageId !== imageId);
  if (other === undefined) return;
  throw new Failure(
    'no-backup',
    `Backup ${manifest.id} does not belong to the target: ${other[1].image} now names a different image in the registry than on this host`,
    { hint: 'Nothing was stopped. Set "restore-database" to the id of a backup, or "target" to a digest' },
  );
}
