import type { ServiceStep } from './plan.ts';

/** Where the host puts the id of the transaction. */
const label = 'atlasia.transaction';

/**
 * A compose file on top of the user's, from which the new containers are made.
 * @param images what each service is to run, as Docker finds it on this host: `repository:tag@digest`, or an image's id
 * @param transaction its id, or a mark that stands for it
 */
export function overrideYaml(
  steps: readonly ServiceStep[],
  images: ReadonlyMap<string, string>,
  transaction: string,
): string {
  const services = steps.flatMap(({ service, fixedName, anonymousVolumes }) => [
    `  ${scalar(service)}:`,
    `    image: ${scalar(images.get(service) ?? '')}`,
    '    pull_policy: never',
    // Two containers cannot have one name; the new one gets it when the old one has given it up.
    ...(fixedName === null ? [] : ['    container_name: !reset null']),
    `    labels: {${scalar(label)}: ${scalar(transaction)}}`,
    ...volumesOf(anonymousVolumes),
  ]);
  const external = [...new Set(steps.flatMap(({ anonymousVolumes }) => Object.values(anonymousVolumes)))].map(
    (name) => `  ${scalar(`atlasia-${name}`)}: {external: true, name: ${scalar(name)}}`,
  );
  return ['services:', ...services, ...(external.length === 0 ? [] : ['volumes:', ...external]), ''].join('\n');
}

function volumesOf(volumes: Readonly<Record<string, string>>): string[] {
  const lines = Object.entries(volumes).map(
    ([destination, name]) =>
      `      - {type: volume, source: ${scalar(`atlasia-${name}`)}, target: ${scalar(destination)}}`,
  );
  return lines.length === 0 ? [] : ['    volumes:', ...lines];
}

/** A compose file that makes a container of what runs now, where one was lost. */
export function revertYaml(steps: readonly ServiceStep[]): string {
  const lines = steps.flatMap(({ service, fromImage }) =>
    fromImage.imageId === null
      ? []
      : [`  ${scalar(service)}: {image: ${scalar(fromImage.imageId)}, pull_policy: never}`],
  );
  return ['services:', ...lines, ''].join('\n');
}

/** JSON's strings are YAML's, but for what cannot be printed; compose fills variables in, which none of ours is. */
function scalar(value: string): string {
  return JSON.stringify(value.replaceAll('$', '$$$$')).replace(
    /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
