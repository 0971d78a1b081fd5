import { mixedServices, sameRelease } from '../releases/release.ts';
import { tellUnset } from '../releases/unset-variable.ts';
import { restOf } from './at-rest.ts';
import { anonymousVolumes, isAtWork } from './container.ts';
import type { Plan, PlanNote, PlanRequest } from './plan.ts';
import type { SchemaVerdict } from './schema-guard.ts';
import { tellChange, tellDrift } from './settings.ts';
import { whatUndoes } from './undoing.ts';

/** What an operator should know about a plan before carrying it out. */
export function notesOn(
  plan: Omit<Plan, 'notes' | 'hash'>,
  request: PlanRequest,
  schema: SchemaVerdict | null,
): PlanNote[] {
  const { project, containers, wanted, running, newestKnown } = request;
  const swapped = new Set(plan.services.map(({ service }) => service));
  const notes: PlanNote[] = [];
  const warn = (text: string) => notes.push({ level: 'warning', text });
  const tell = (text: string) => notes.push({ level: 'info', text });

  for (const { service, why } of plan.leftAlone) {
    const own = containers.filter((container) => container.service === service);
    const isDown = own.length === 0 || !own.every(isAtWork);
    if (isDown && wanted.images.has(service))
      warn(`${service} is not running, and the rollback will not start it: ${why}`);
  }
  if (request.proxyService !== null && !project.services.has(request.proxyService)) {
    warn(`"proxy-service" names ${request.proxyService}, but the compose file has no such service`);
  }
  for (const { service, proven, onlyHere, strategy, fixedName, retag, why } of plan.services) {
    const [composeService, own] = [
      project.services.get(service),
      containers.filter((each) => each.service === service),
    ];
    if (strategy === 'create-only') warn(`${service} will not be running: ${why}`);
    else if (composeService !== undefined && strategy !== 'job') {
      const rest = restOf(composeService, own, request.swapFacts.endings, request.named.has(service));
      if (rest !== null) (rest.isGuess ? warn : tell)(`${service} is not running now, and is started: ${rest.why}`);
      const atWork = own.filter(isAtWork).length;
      if (atWork > 0 && atWork < own.length)
        warn(
          `Of the ${own.length} containers of ${service}, ${atWork} run${atWork === 1 ? 's' : ''} now: of the target, all ${own.length} will run`,
        );
    }
    if (strategy === 'job' && plan.schemaCrossed !== 'no') {
      const schema =
        plan.schemaCrossed === 'yes'
          ? 'the database schema has changed since'
          : 'whether the database schema has changed since is unknown';
      warn(
        `${service} is a job that runs with the older image, and ${schema}: if it cannot cope with a newer schema it fails, and everything is reverted. To leave it out: jobs: skip`,
      );
    }
    if (request.strategy === 'blue-green' && strategy === 'recreate') {
      warn(`${service} cannot be swapped without downtime, although "strategy" asks for it: ${why}`);
    }
    if (!proven) warn(`${service} has no health check: the rollback can only prove that it is running`);
    if (onlyHere) warn(`The target of ${service} may exist only on this host: it has no digest from a registry`);
    const sharers = [...project.services.values()].filter(
      (other) => retag !== null && other.image === retag && !swapped.has(other.name),
    );
    if (sharers.length > 0) {
      const names = sharers.map(({ name }) => name).join(', ');
      warn(`${retag} is also the image of ${names}: a manual docker compose up would start the target there as well`);
    }
    if (strategy === 'blue-green' && fixedName === null) tell(`${service} is swapped without downtime`);
  }
  for (const each of request.settings.filter(({ service }) => swapped.has(service))) {
    const text = tellChange(each);
    if (text !== null) warn(text);
  }
  const drifted = [...request.drift.values()].filter(({ service }) => swapped.has(service));
  for (const text of drifted.flatMap(tellDrift)) warn(text);
  const told = new Set(drifted.filter(({ changed }) => changed.length > 0).map(({ service }) => service));
  if (wanted.knownBad !== null) warn(`The target is known to be bad: ${wanted.knownBad.text}`);
  notes.push(...whatUndoes(plan.services, request));
  for (const { service, proxy } of plan.lookedUpOnce) {
    tell(`${proxy} resolves ${service} only when it starts, or rarely: it is reloaded after the swap`);
  }
  const outdated = containers.filter(
    ({ service, created }) =>
      swapped.has(service) && !told.has(service) && Date.parse(created) < request.filesChangedAt,
  );
  if (outdated.length > 0) {
    const names = [...new Set(outdated.map(({ service }) => service))].join(', ');
    warn(
      `The compose file or its variables have changed since the containers of ${names} were created: the target starts with today's settings`,
    );
  }
  if (newestKnown !== null && !sameRelease(newestKnown, running)) {
    tell('The running release is not the newest one in the history');
  }
  for (const each of request.unset) warn(`${tellUnset(each).what}; compose uses an empty value`);
  for (const service of wanted.unknown)
    tell(`${service} was part of that release, but is no longer in the compose file`);
  for (const service of mixedServices(containers)) warn(`Containers of ${service} run different images`);
  for (const { name, dependsOn } of project.services.values()) {
    const on = dependsOn
      .filter(({ service, restart }) => restart && swapped.has(service))
      .map(({ service }) => service);
    if (on.length > 0)
      warn(`${name} is not restarted together with ${on.join(', ')}, although the compose file asks for it`);
  }
  for (const service of swapped) {
    const own = containers.filter((container) => container.service === service);
    if (own.length > 1 && Object.keys(anonymousVolumes(own)).length > 0) {
      warn(`${service} has ${own.length} containers with anonymous volumes: the target starts with empty ones`);
    }
  }
  if (schema !== null) notes.push(...schema.notes);
  if (swapped.size > 0 && plan.schemaCrossed === 'yes' && schema?.crossed !== 'yes') {
    warn(
      'The database schema has changed since that release ran, so older code will meet a newer schema. The data stays as it is',
    );
  } else if (swapped.size > 0 && plan.schemaCrossed === 'unknown' && schema === null) {
    tell('The history does not show whether the database schema has changed since that release ran');
  }
  const latest = wanted.record;
  if (latest !== null) {
    const added = Object.keys(running).filter(
      (service) => !(service in latest.release) && !request.databases.has(service),
    );
    if (added.length > 0) tell(`Added after that release and left alone: ${added.join(', ')}`);
  }
  return notes;
}
