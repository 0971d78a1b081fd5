import type { Updater } from '../host/survey.ts';
import { type ImageReference, referenceOf } from '../releases/image-reference.ts';
import { moves } from '../releases/moving-tag.ts';
import { tagVariable } from './persist.ts';
import type { PlanNote, PlanRequest, ServiceStep } from './plan.ts';

/** These go to newer versions too, not only to what a tag stands for now. */
const changesTags = /(?:^|\/)(?:wud|whats-up-docker|tugtainer|drydock)(?=[:@]|$)/;

/** What will take a rollback back if nobody does anything about it. @param swapped the services of the plan */
export function whatUndoes(
  { service, retag, envLine, toImage }: ServiceStep,
  { project, updaters }: PlanRequest,
  swapped: ReadonlySet<string>,
): PlanNote[] {
  const written = referenceOf(project.services.get(service)?.image ?? null);
  if (written === null) return [];
  const notes: PlanNote[] = [];
  if (retag === null) notes.push(keptLine(service, written));
  const sharers = [...project.services.values()].filter(
    (other) =>
      envLine !== null && !swapped.has(other.name) && tagVariable(other) === envLine.variable && other.name !== service,
  );
  if (envLine !== null && sharers.length > 0) {
    const names = sharers.map(({ name }) => name).join(', ');
    const text = `${envLine.variable} is also the tag of ${names}: to set it to ${envLine.value} for ${service} changes that too`;
    notes.push({ level: 'warning', text });
  }
  for (const updater of updaters.filter((each) => mayReplace(each, written))) {
    const newest = changesTags.test(updater.image)
      ? 'to a newer image'
      : `to what ${written.tag} means in the registry`;
    const after = toImage.digest === null ? '' : ', at the latest after the next docker compose up';
    const text = `${updater.name} (${updater.image}) on this host updates containers by itself: it will bring ${service} back ${newest}${after}. Until the cause is fixed: docker stop ${updater.name}`;
    notes.push({ level: 'warning', text });
  }
  return notes;
}

function keptLine(service: string, written: ImageReference): PlanNote {
  const { tag, digest } = written;
  if (digest !== null) {
    const name = tag === null ? '' : `${tag} with `;
    const text = `${service} is pinned in the compose file to ${name}the digest ${digest.slice(0, 19)}: the next docker compose up starts that again, until the line is changed that the run prints`;
    return { level: 'warning', text };
  }
  const text = `The compose file still says ${tag} for ${service} afterwards: the next docker compose up starts that again, until the line is changed that the run prints`;
  return { level: 'info', text };
}

/** What is pinned by its digest stays as it is, whatever the registry has. */
function mayReplace({ image }: Updater, { tag, digest }: ImageReference): boolean {
  if (digest !== null) return false;
  return changesTags.test(image) || (tag !== null && moves(tag));
}
