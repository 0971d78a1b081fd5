import type { RunningImage } from '../releases/release.ts';
import type { Plan, ServiceStep } from './plan.ts';

/** The plan as printed lines: what changes, how, and what is left alone. */
export function planText(plan: Plan): string[] {
  const name = widest(plan.services.map(({ service }) => service));
  const from = widest(plan.services.map((step) => fromIn(step)));
  return [
    targetText(plan),
    ...restoreText(plan),
    ...plan.services.map((step) => `${step.service.padEnd(name)}  ${fromIn(step).padEnd(from)}  →  ${toIn(step)}`),
    ...plan.services.map(({ service, strategy, why }) => `${service.padEnd(name)}  ${howIn[strategy]}: ${why}`),
    ...plan.leftAlone.map(({ service, why }) => `${service} is left alone: ${why}`),
    ...plan.services.flatMap(({ pull }) => (pull === null ? [] : [`To pull: ${pull}`])),
    `Plan ${plan.hash}`,
  ];
}

/** What the rollback goes to. */
export function targetText({ services, restore, source }: Plan): string {
  return services.length === 0 && restore !== null
    ? 'Only the database is restored; the release stays as it is'
    : `The target is ${source}`;
}

function restoreText({ restore }: Plan): string[] {
  if (restore === null) return [];
  const { backupId, copy, takenAt, database, restarted, costs, givenUp } = restore;
  return [
    `The database "${database}" is replaced by backup ${backupId}${copy === null ? '' : ` from ${copy}`}, taken ${takenAt}`,
    ...costs,
    ...givenUp,
    ...restarted.map(({ service, why }) => `${service} is stopped meanwhile and started again: ${why}`),
  ];
}

const howIn: Record<ServiceStep['strategy'], string> = {
  recreate: 'one after the other, with downtime',
  'blue-green': 'new containers start before the old ones stop, without downtime',
  job: 'is run to its end, while everything else goes on',
  'create-only': 'gets a new container, which is not started',
};

/** The image that a service runs now, in short: `v3 (0123456789ab)`. */
export function fromIn({ fromName, fromImage }: ServiceStep): string {
  return imageInShort(fromName, fromImage);
}

/** The target image, in the same form. */
export function toIn({ toName, toImage }: ServiceStep): string {
  return imageInShort(toName, toImage);
}

/** An image by its name and the start of its id. */
export function imageInShort(name: string | null, { digest, imageId }: RunningImage): string {
  const id = (digest ?? imageId ?? '').replace(/^sha256:/, '').slice(0, 12);
  if (name === null) return id === '' ? 'unknown' : id;
  return id === '' ? name : `${name} (${id})`;
}

function widest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map((text) => text.length));
}
