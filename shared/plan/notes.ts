import { mixedServices, sameRelease } from '../releases/release.ts';
import { describeUnset } from '../releases/unset-variable.ts';
import { restOf } from './at-rest.ts';
import { anonymousVolumes, isAtWork, volumesOverFiles } from './container.ts';
import type { Plan, PlanNote, ServiceStep } from './plan.ts';
import type { PlanRequest } from './plan-request.ts';
import type { SchemaVerdict } from './schema-guard.ts';
import { renewedVolumes } from './service-step.ts';
import { describeChange, describeDrift } from './settings.ts';
import { whatUndoes } from './undoing.ts';

type PlanBody = Omit<Plan, 'notes' | 'hash'>;

const warning = (text: string): PlanNote => ({ level: 'warning', text });
const info = (text: string): PlanNote => ({ level: 'info', text });

/** What an operator should know about a plan before carrying it out. */
export function notesOn(plan: PlanBody, request: PlanRequest, schema: SchemaVerdict | null): PlanNote[] {
  const { project, containers, wanted, running, newestKnown, proxyService, unset } = request;
  const swapped = new Set(plan.services.map(({ service }) => service));
  return [
    ...onLeftAlone(plan, request),
    ...(proxyService === null || project.services.has(proxyService)
      ? []
      : [warning(`"proxy-service" names ${proxyService}, but the compose file has no such service`)]),
    ...plan.services.flatMap((step) => onStep(step, plan, request)),
    ...onSettings(swapped, request),
    ...(wanted.knownBad === null ? [] : [warning(`The target is known to be bad: ${wanted.knownBad.text}`)]),
    ...whatUndoes(plan.services, request),
    ...plan.lookedUpOnce.map(({ service, proxy }) =>
      info(`${proxy} resolves ${service} only when it starts, or rarely: it is reloaded after the swap`),
    ),
    ...onOutdated(swapped, request),
    ...(newestKnown === null || sameRelease(newestKnown, running)
      ? []
      : [info('The running release is not the newest one in the history')]),
    ...unset.map((each) => warning(`${describeUnset(each).what}; compose uses an empty value`)),
    ...wanted.unknown.map((service) =>
      warning(
        `${service} was part of that release, but is no longer in the compose file, so this rollback leaves it out. To bring it back with that release's own compose file, set compose: kept`,
      ),
    ),
    ...mixedServices(containers).map((service) => warning(`Containers of ${service} run different images`)),
    ...onDependents(swapped, request),
    ...onOneOffs(plan, request),
    ...onAnonymousVolumes(swapped, request),
    ...onVolumesOverFiles(swapped, request),
    ...onSchema(swapped, plan, schema),
    ...onAdded(request),
  ];
}

function onLeftAlone({ leftAlone }: PlanBody, { containers, wanted }: PlanRequest): PlanNote[] {
  const isDown = (service: string) => {
    const own = containers.filter((container) => container.service === service);
    return own.length === 0 || !own.every(isAtWork);
  };
  return leftAlone
    .filter(({ service }) => isDown(service) && wanted.images.has(service))
    .map(({ service, why }) => warning(`${service} is not running, and the rollback will not start it: ${why}`));
}

/** What to know of the swap of one service. */
function onStep(step: ServiceStep, plan: PlanBody, request: PlanRequest): PlanNote[] {
  const { service, proven, onlyHere, strategy, fixedName, why } = step;
  const notes: PlanNote[] = [];
  if (strategy !== 'job' && request.containers.every((container) => container.service !== service))
    notes.push(
      warning(
        `${service} has no container now. The rollback will create one, because it was part of that release or is named in "services"`,
      ),
    );
  if (strategy === 'create-only') notes.push(warning(`${service} will not be running: ${why}`));
  else if (strategy === 'job') notes.push(...onJob(step, plan));
  else notes.push(...onAtRest(step, request));
  if (request.strategy === 'blue-green' && strategy === 'recreate')
    notes.push(warning(`${service} cannot be swapped without downtime, although "strategy" asks for it: ${why}`));
  if (!proven) notes.push(warning(`${service} has no health check: the rollback can only prove that it is running`));
  if (onlyHere)
    notes.push(warning(`The target of ${service} may exist only on this host: it has no digest from a registry`));
  notes.push(...onSharedReference(step, plan, request));
  if (strategy === 'blue-green' && fixedName === null) notes.push(info(`${service} is swapped without downtime`));
  return notes;
}

function onJob({ service }: ServiceStep, { schemaCrossed }: PlanBody): PlanNote[] {
  if (schemaCrossed === 'no') return [];
  const schema =
    schemaCrossed === 'yes'
      ? 'the database schema has changed since'
      : 'whether the database schema has changed since is unknown';
  return [
    warning(
      `${service} is a job that runs with the older image, and ${schema}: if it cannot cope with a newer schema it fails, and everything is reverted. To leave it out: jobs: skip`,
    ),
  ];
}

/** A service that is not running now, or not with all of its containers, will be. */
function onAtRest({ service }: ServiceStep, { project, containers, swapFacts, named }: PlanRequest): PlanNote[] {
  const composeService = project.services.get(service);
  if (composeService === undefined) return [];
  const own = containers.filter((container) => container.service === service);
  const rest = restOf(composeService, own, swapFacts.endings, named.has(service));
  const atWork = own.filter(isAtWork).length;
  const notes: PlanNote[] = [];
  if (rest !== null)
    notes.push((rest.isGuess ? warning : info)(`${service} is not running now, and is started: ${rest.why}`));
  if (atWork > 0 && atWork < own.length)
    notes.push(
      warning(
        `${atWork} of the ${own.length} containers of ${service} ${atWork === 1 ? 'is' : 'are'} running now; with the target, all ${own.length} will run`,
      ),
    );
  return notes;
}

function onSharedReference({ retag }: ServiceStep, { services }: PlanBody, { project }: PlanRequest): PlanNote[] {
  const sharers = [...project.services.values()].filter(
    ({ name, image }) => retag !== null && image === retag && services.every(({ service }) => service !== name),
  );
  if (sharers.length === 0) return [];
  const names = sharers.map(({ name }) => name).join(', ');
  return [
    warning(`${retag} is also the image of ${names}: a manual docker compose up would start the target there as well`),
  ];
}

function onSettings(swapped: ReadonlySet<string>, { settings, drift }: PlanRequest): PlanNote[] {
  const changes = settings.filter(({ service }) => swapped.has(service)).flatMap((each) => describeChange(each) ?? []);
  const drifts = [...drift.values()].filter(({ service }) => swapped.has(service)).flatMap(describeDrift);
  return [...changes, ...drifts].map(warning);
}

/** Of services whose settings are known to have changed, more was told already. */
function onOutdated(swapped: ReadonlySet<string>, { containers, drift, filesChangedAt }: PlanRequest): PlanNote[] {
  const hasDrifted = (service: string) =>
    [...drift.values()].some((each) => each.service === service && each.changed.length > 0);
  const outdated = containers.filter(
    ({ service, created }) => swapped.has(service) && !hasDrifted(service) && Date.parse(created) < filesChangedAt,
  );
  if (outdated.length === 0) return [];
  const names = [...new Set(outdated.map(({ service }) => service))].join(', ');
  return [
    warning(
      `The compose file or its variables have changed since the containers of ${names} were created: the target starts with today's settings`,
    ),
  ];
}

function onDependents(swapped: ReadonlySet<string>, { project }: PlanRequest): PlanNote[] {
  return [...project.services.values()].flatMap(({ name, dependsOn }) => {
    const on = dependsOn
      .filter(({ service, restart }) => restart && swapped.has(service))
      .map(({ service }) => service);
    return on.length === 0
      ? []
      : [warning(`${name} is not restarted together with ${on.join(', ')}, although the compose file asks for it`)];
  });
}

/** They may be at work for days: a worker, or a console. */
function onOneOffs({ services }: PlanBody, { swapFacts }: PlanRequest): PlanNote[] {
  const leaving = new Set(services.map(({ fromImage }) => fromImage.imageId));
  return swapFacts.oneOffs
    .filter(({ imageId }) => leaving.has(imageId))
    .map(({ name }) =>
      warning(
        `${name}, started by docker compose run, goes on with the release that you roll back from. To end it: docker rm --force ${name}`,
      ),
    );
}

function onAnonymousVolumes(swapped: ReadonlySet<string>, { containers }: PlanRequest): PlanNote[] {
  return [...swapped].flatMap((service) => {
    const own = containers.filter((container) => container.service === service);
    return own.length > 1 && Object.keys(anonymousVolumes(own)).length > 0
      ? [warning(`${service} has ${own.length} containers with anonymous volumes: the target starts with empty ones`)]
      : [];
  });
}

/** A volume hides the files that an image has in its place: those of another release may be served from it. */
function onVolumesOverFiles(swapped: ReadonlySet<string>, request: PlanRequest): PlanNote[] {
  return [...swapped].flatMap((name) => {
    const service = request.project.services.get(name);
    const own = request.containers.filter((container) => container.service === name);
    if (service === undefined) return [];
    const renewed = renewedVolumes(service, own, request);
    return volumesOverFiles(own, request.volumeContents).map(({ destination }) =>
      renewed.includes(destination)
        ? info(
            `The anonymous volume of ${name} at ${destination} has only files of its image: the target gets a new one`,
          )
        : warning(
            `The image of ${name} has files at ${destination}, but a volume lies over them and stays as it is: what ${name} uses from there may be of another release than the target`,
          ),
    );
  });
}

function onSchema(swapped: ReadonlySet<string>, { schemaCrossed }: PlanBody, schema: SchemaVerdict | null): PlanNote[] {
  const seen = schema?.notes ?? [];
  if (swapped.size > 0 && schemaCrossed === 'yes' && schema?.crossed !== 'yes')
    return [
      ...seen,
      warning(
        'The database schema has changed since that release ran, so older code will meet a newer schema. The data stays as it is',
      ),
    ];
  if (swapped.size > 0 && schemaCrossed === 'unknown' && schema === null)
    return [info('The history does not show whether the database schema has changed since that release ran')];
  return seen;
}

function onAdded({ wanted, running, databases }: PlanRequest): PlanNote[] {
  const { record } = wanted;
  if (record === null) return [];
  const added = Object.keys(running).filter((service) => !(service in record.release) && !databases.has(service));
  return added.length === 0 ? [] : [info(`Added after that release and left alone: ${added.join(', ')}`)];
}
