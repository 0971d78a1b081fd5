import { mixedServices, sameRelease } from '../releases/release.ts';
import { tellUnset } from '../releases/unset-variable.ts';
import { anonymousVolumes, isAtWork } from './container.ts';
import type { Plan, PlanNote, PlanRequest } from './plan.ts';

/** What an operator should know of a plan before it is carried out. */
export function notesOn(plan: Omit<Plan, 'notes' | 'hash'>, request: PlanRequest): PlanNote[] {
  const { project, containers, wanted, running, newestKnown } = request;
  const swapped = new Set(plan.services.map(({ service }) => service));
  const notes: PlanNote[] = [];
  const warn = (text: string) => notes.push({ level: 'warning', text });
  const tell = (text: string) => notes.push({ level: 'info', text });

  for (const { service, why } of plan.leftAlone) {
    const own = containers.filter((container) => container.service === service);
    const isDown = own.length === 0 || !own.every(isAtWork);
    if (isDown && wanted.images.has(service)) warn(`${service} does not run, and is not started: ${why}`);
  }
  if (request.proxyService !== null && !project.services.has(request.proxyService)) {
    warn(`The compose file has no service ${request.proxyService}, which "proxy-service" names`);
  }
  for (const { service, proven, onlyHere, strategy, fixedName, retag, why } of plan.services) {
    if (request.strategy === 'blue-green' && strategy === 'recreate') {
      warn(`${service} cannot be swapped without a gap, as "strategy" asks: ${why}`);
    }
    if (!proven) warn(`${service} has no health test: that it runs is all that can be proven of it`);
    if (onlyHere) warn(`The target of ${service} is in no registry as far as this host knows: it exists only here`);
    const sharers = [...project.services.values()].filter(
      (other) => retag !== null && other.image === retag && !swapped.has(other.name),
    );
    if (sharers.length > 0) {
      const names = sharers.map(({ name }) => name).join(', ');
      warn(`${retag} is the image of ${names} too: docker compose up by hand would take the target there as well`);
    }
    if (strategy === 'blue-green' && fixedName === null) tell(`${service} is swapped without a gap`);
  }
  const outdated = containers.filter(
    ({ service, created }) => swapped.has(service) && Date.parse(created) < request.filesChangedAt,
  );
  if (outdated.length > 0) {
    const names = [...new Set(outdated.map(({ service }) => service))].join(', ');
    warn(
      `The compose file or its variables were changed since ${names} was started: the target starts with what they say today`,
    );
  }
  if (newestKnown !== null && !sameRelease(newestKnown, running)) {
    tell('What runs is another release than the newest that the history knows');
  }
  for (const each of request.unset) warn(`${tellUnset(each).what}; it counts as empty`);
  for (const service of wanted.unknown) tell(`${service} was part of that release, and is in the compose file no more`);
  for (const service of mixedServices(containers)) warn(`Containers of ${service} run different images`);
  for (const { name, dependsOn } of project.services.values()) {
    const on = dependsOn
      .filter(({ service, restart }) => restart && swapped.has(service))
      .map(({ service }) => service);
    if (on.length > 0) warn(`${name} asks to be restarted with ${on.join(', ')}; that is not done`);
  }
  for (const service of swapped) {
    const own = containers.filter((container) => container.service === service);
    if (own.length > 1 && Object.keys(anonymousVolumes(own)).length > 0) {
      warn(`${service} has ${own.length} containers with volumes without a name: those of the target begin empty`);
    }
  }
  if (swapped.size > 0 && plan.schemaCrossed === 'yes') {
    warn(
      'The database schema has changed since that release ran: older code meets a newer schema. The data stay as they are',
    );
  } else if (swapped.size > 0 && plan.schemaCrossed === 'unknown') {
    tell('Whether the database schema has changed since that release ran is not known');
  }
  const latest = wanted.record;
  if (latest !== null) {
    const added = Object.keys(running).filter(
      (service) => !(service in latest.release) && !request.databases.has(service),
    );
    if (added.length > 0) tell(`${added.join(', ')} came after that release, and stays as it is`);
  }
  return notes;
}
