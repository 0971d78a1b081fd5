import type { ServiceStep } from './plan.ts';

/** The label that holds the id of the transaction. */
const label = 'atlasia.transaction';
/** The label that holds the user's own compose files, as absolute paths: compose's own label names this override as well. */
const filesLabel = 'atlasia.compose-files';

/**
 * A compose file on top of the user's, from which the new containers are created.
 * @param images the image for each service, by a name that Docker finds on this host: `repository:tag@digest`, or an id
 * @param transaction its id, or a placeholder for it
 * @param composeFiles the user's own, absolute
 */
export function overrideYaml(
  steps: readonly ServiceStep[],
  images: ReadonlyMap<string, string>,
  transaction: string,
  composeFiles: readonly string[],
): string {
  const services = steps.flatMap(({ service, fixedName, anonymousVolumes }) => [
    `  ${scalar(service)}:`,
    `    image: ${scalar(images.get(service) ?? '')}`,
    '    pull_policy: never',
    // Two containers cannot share a name: the new one gets it once the old one has given it up.
    ...(fixedName === null ? [] : ['    container_name: !reset null']),
    `    labels: {${scalar(label)}: ${scalar(transaction)}, ${scalar(filesLabel)}: ${scalar(composeFiles.join(','))}}`,
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

/** A compose file with the images that run now, to recreate a container that was lost. */
export function revertYaml(steps: readonly ServiceStep[]): string {
  const lines = steps.flatMap(({ service, fromImage }) =>
    fromImage.imageId === null
      ? []
      : [`  ${scalar(service)}: {image: ${scalar(fromImage.imageId)}, pull_policy: never}`],
  );
  return ['services:', ...lines, ''].join('\n');
}

/** JSON strings are valid YAML except for unprintable characters. `$` is doubled: compose must not see variables here. */
function scalar(value: string): string {
  return JSON.stringify(value.replaceAll('$', '$$$$')).replace(
    /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
