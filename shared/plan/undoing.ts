import { type ImageReference, referenceOf } from '../releases/image-reference.ts';
import { moves } from '../releases/moving-tag.ts';
import type { ComposeProject } from '../releases/project.ts';
import type { Updater } from '../survey/survey.ts';
import { tagVariable } from './persist.ts';
import type { PlanNote, ServiceStep } from './plan.ts';
import type { PlanRequest } from './plan-request.ts';

/** These go to newer versions too, not only to what a tag stands for now. */
const changesTags = /(?:^|\/)(?:wud|whats-up-docker|tugtainer|drydock)(?=[:@]|$)/;

/** What will take a rollback back if nobody does anything about it. */
export function whatUndoes(steps: readonly ServiceStep[], { project, updaters }: PlanRequest): PlanNote[] {
  const swapped = new Set(steps.map(({ service }) => service));
  const written = steps.flatMap((step): Written[] => {
    const reference = referenceOf(project.services.get(step.service)?.image ?? null);
    return reference === null ? [] : [{ step, reference }];
  });
  return [
    ...keptLines(written.filter(({ step }) => step.retag === null)),
    ...steps.flatMap((step) => sharedVariable(step, project, swapped)),
    ...updaters.flatMap((updater) => replacedBy(updater, written)),
  ];
}

/** A step, and what the compose file names for its service. */
interface Written {
  step: ServiceStep;
  reference: ImageReference;
}

function keptLines(written: readonly Written[]): PlanNote[] {
  const until = 'until you change the line that the run prints';
  const pinned = written.flatMap(({ step, reference: { tag, digest } }): PlanNote[] => {
    if (digest === null) return [];
    const name = `${tag === null ? '' : `${tag} with `}the digest ${digest.slice(0, 19)}`;
    const text = `${step.service} is pinned in the compose file to ${name}: the next docker compose up starts that again, ${until}`;
    return [{ level: 'warning', text }];
  });
  const others = written.filter(({ reference }) => reference.digest === null);
  const named = others.map(({ step, reference }) => `${step.service} ${reference.tag}`).join(', ');
  const text = `The compose file will still say ${named}: the next docker compose up starts that again, ${until}`;
  return others.length === 0 ? pinned : [...pinned, { level: 'info', text }];
}

function sharedVariable(
  { service, envLine }: ServiceStep,
  { services }: ComposeProject,
  swapped: ReadonlySet<string>,
): PlanNote[] {
  if (envLine === null) return [];
  const sharers = [...services.values()].filter(
    (other) => !swapped.has(other.name) && tagVariable(other) === envLine.variable,
  );
  if (sharers.length === 0) return [];
  const names = sharers.map(({ name }) => name).join(', ');
  const text = `${envLine.variable} is also the tag of ${names}: setting it to ${envLine.value} for ${service} changes that too`;
  return [{ level: 'warning', text }];
}

function replacedBy({ name, image }: Updater, written: readonly Written[]): PlanNote[] {
  const goesFurther = changesTags.test(image);
  // What is pinned by its digest stays as it is, whatever the registry has.
  const replaced = written.filter(
    ({ reference: { tag, digest } }) => digest === null && (goesFurther || (tag !== null && moves(tag))),
  );
  if (replaced.length === 0) return [];
  const services = replaced.map(({ step, reference }) => `${step.service} (${reference.tag})`).join(', ');
  const back = goesFurther ? 'to a newer image' : 'to what its tag means in the registry';
  const text = `${name} (${image}) on this host updates containers by itself: unless it was told to leave them alone, it brings ${services} ${back}, at the latest after the next docker compose up. Until the cause is fixed: docker stop ${name}`;
  return [{ level: 'warning', text }];
}
