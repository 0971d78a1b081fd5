import type { ServiceStep } from './plan.ts';

/** The label that holds the id of the transaction. */
const label = 'atlasia.transaction';
/** The label that holds the user's own compose files, as absolute paths: compose's own label names this override as well. */
const filesLabel = 'atlasia.compose-files';
/** The label that holds its env files: compose's own is lost with a configuration that was kept. */
const envFilesLabel = 'atlasia.compose-env-files';

/** The user's own files, absolute. */
export interface ComposeOrigin {
  files: readonly string[];
  /** Those that compose was given; empty for its own default. */
  envFiles: readonly string[];
}

/**
 * A compose file on top of the user's, from which the new containers are created.
 * @param images the image for each service, by a name that Docker finds on this host: `repository:tag@digest`, or an id
 * @param transaction its id, or a placeholder for it
 * @param origin of the user's own files
 * @param networks of these services as they are on the host, by key; empty if compose cannot be told
 */
export function overrideYaml(
  steps: readonly ServiceStep[],
  images: ReadonlyMap<string, string>,
  transaction: string,
  origin: ComposeOrigin,
  networks: ReadonlyMap<string, string>,
): string {
  const labels = [
    [label, transaction],
    [filesLabel, origin.files.join(',')],
    ...(origin.envFiles.length === 0 ? [] : [[envFilesLabel, origin.envFiles.join(',')] as const]),
  ] as const;
  const services = steps.flatMap(({ service, fixedName, anonymousVolumes }) => [
    `  ${scalar(service)}:`,
    `    image: ${scalar(images.get(service) ?? '')}`,
    '    pull_policy: never',
    // Two containers cannot share a name: the new one gets it once the old one has given it up.
    ...(fixedName === null ? [] : ['    container_name: !reset null']),
    `    labels: {${labels.map(([name, value]) => `${scalar(name)}: ${scalar(value)}`).join(', ')}}`,
    ...volumesOf(anonymousVolumes),
  ]);
  const external = [...new Set(steps.flatMap(({ anonymousVolumes }) => Object.values(anonymousVolumes)))].map(
    (name) => `  ${scalar(`atlasia-${name}`)}: {external: true, name: ${scalar(name)}}`,
  );
  const volumes = external.length === 0 ? [] : ['volumes:', ...external];
  return ['services:', ...services, ...volumes, ...networksAsTheyAre(networks), ''].join('\n');
}

/**
 * Networks are used as they are: if the file says something else today, compose would stop whatever is in one, to make it
 * anew, before anything may stop.
 */
function networksAsTheyAre(networks: ReadonlyMap<string, string>): string[] {
  const lines = [...networks].map(
    ([key, name]) => `  ${scalar(key)}: !override {external: true, name: ${scalar(name)}}`,
  );
  return lines.length === 0 ? [] : ['networks:', ...lines];
}

function volumesOf(volumes: Readonly<Record<string, string>>): string[] {
  const lines = Object.entries(volumes).map(
    ([destination, name]) =>
      `      - {type: volume, source: ${scalar(`atlasia-${name}`)}, target: ${scalar(destination)}}`,
  );
  return lines.length === 0 ? [] : ['    volumes:', ...lines];
}

/**
 * A compose file with the images that run now, to recreate a container that was lost.
 * @param services all that are stopped meanwhile
 */
export function revertYaml(
  services: readonly { service: string; imageId: string | null }[],
  networks: ReadonlyMap<string, string>,
): string {
  const lines = services.flatMap(({ service, imageId }) =>
    imageId === null ? [] : [`  ${scalar(service)}: {image: ${scalar(imageId)}, pull_policy: never}`],
  );
  return ['services:', ...lines, ...networksAsTheyAre(networks), ''].join('\n');
}

/** JSON strings are valid YAML except for unprintable characters. `$` is doubled: compose must not see variables here. */
function scalar(value: string): string {
  return JSON.stringify(value.replaceAll('$', '$$$$')).replace(
    /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
