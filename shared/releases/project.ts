import { Failure, isFailure } from '../failure.ts';
import { bool, listOf, mapOf, orNull, type Reader, shape, text } from '../untrusted.ts';
import { isServiceName } from './release.ts';

/** What a plan needs to know about a service in the compose file: nothing that could be a secret. */
export interface ComposeService {
  name: string;
  /** The reference with its variables filled in; null if the file has none, as for an image that it builds. */
  image: string | null;
  /** The reference as written in the file: `ghcr.io/acme/web:${TAG}`. */
  imageTemplate: string | null;
  containerName: string | null;
  /** How many containers the file asks for; null for the default, one. */
  replicas: number | null;
  /** It publishes a port of the host. */
  publishes: boolean;
  networks: string[];
  /** `host`, `none`, `service:db`; null for the default. */
  networkMode: string | null;
  /** It has a fixed IP or MAC address, which only one container can have. */
  fixedAddress: boolean;
  /** Further names by which other containers reach it. */
  aliases: string[];
  /** `awaitsEnd`: that service is a one-off task, which must have completed successfully. */
  dependsOn: { service: string; restart: boolean; awaitsEnd: boolean }[];
  /** Services whose network, processes or memory it shares. */
  sharesWith: string[];
  /** Services whose volumes it mounts. */
  volumesFrom: string[];
  /** What it has that works only if compose itself starts or stops it: keys of the compose file. */
  composeOnly: string[];
}

export interface ComposeProject {
  name: string;
  services: Map<string, ComposeService>;
}

const mostServices = 500;
const shortText = text(4_096);
/** Compose writes some numbers as text, and leaves out what is not given. */
const anything: Reader<unknown> = (value) => value;

interface NetworkFacts {
  aliases: string[] | null;
  ipv4_address: string | null;
  ipv6_address: string | null;
  mac_address: string | null;
}

const network = orNull(
  shape<NetworkFacts>({
    aliases: orNull(listOf(shortText, 100)),
    ipv4_address: orNull(shortText),
    ipv6_address: orNull(shortText),
    mac_address: orNull(shortText),
  }),
);

const service = shape<{
  image: string | null;
  container_name: string | null;
  scale: unknown;
  deploy: { replicas: unknown } | null;
  ports: { published: unknown }[] | null;
  networks: Record<string, NetworkFacts | null> | null;
  network_mode: string | null;
  ipc: string | null;
  pid: string | null;
  mac_address: string | null;
  volumes_from: string[] | null;
  pre_start: unknown;
  post_start: unknown;
  pre_stop: unknown;
  post_stop: unknown;
  provider: unknown;
  models: unknown;
  use_api_socket: unknown;
  depends_on: Record<string, { restart: boolean | null; condition: string | null }> | null;
}>({
  image: orNull(shortText),
  container_name: orNull(shortText),
  scale: anything,
  deploy: orNull(shape<{ replicas: unknown }>({ replicas: anything })),
  ports: orNull(listOf(shape<{ published: unknown }>({ published: anything }), 1_000)),
  networks: orNull(mapOf((key) => key.length <= 255, network, 200)),
  network_mode: orNull(shortText),
  ipc: orNull(shortText),
  pid: orNull(shortText),
  mac_address: orNull(shortText),
  volumes_from: orNull(listOf(shortText, 100)),
  pre_start: anything,
  post_start: anything,
  pre_stop: anything,
  post_stop: anything,
  provider: anything,
  models: anything,
  use_api_socket: anything,
  depends_on: orNull(
    mapOf(
      isServiceName,
      shape<{ restart: boolean | null; condition: string | null }>({
        restart: orNull(bool),
        condition: orNull(shortText),
      }),
      mostServices,
    ),
  ),
});

/** Compose does these itself when it starts or stops a container; a start by Docker leaves them out. */
export const composeOnly = [
  'pre_start',
  'post_start',
  'pre_stop',
  'post_stop',
  'provider',
  'models',
  'use_api_socket',
] as const;

const project = shape<{ name: string; services: Record<string, ReturnType<typeof service>> }>({
  name: shortText,
  services: mapOf(isServiceName, service, mostServices),
});

const templates = shape<{ services: Record<string, ServiceImage> }>({
  services: mapOf(
    isServiceName,
    shape<ServiceImage>({
      image: orNull(shortText),
      profiles: (value, place) => orNull(listOf(shortText, 100))(value, place) ?? [],
    }),
    mostServices,
  ),
});

const networkNames = shape<{ networks: Record<string, { name: string | null; external: unknown } | null> | null }>({
  networks: orNull(
    mapOf(
      (key) => key.length <= 255,
      orNull(shape<{ name: string | null; external: unknown }>({ name: orNull(shortText), external: anything })),
      500,
    ),
  ),
});

/** The names on the host of the networks of these services, by key; without those that are not the project's own. */
export function networksOf(config: string, names: readonly string[]): Map<string, string> {
  const { services } = parsed(config, project, '');
  const used = new Set(names.flatMap((name) => Object.keys(services[name]?.networks ?? {})));
  const { networks } = parsed(config, networkNames, '');
  return new Map(
    Object.entries(networks ?? {}).flatMap(([key, network]) =>
      network === null || network.name === null || network.external === true || !used.has(key)
        ? []
        : [[key, network.name]],
    ),
  );
}

/** The image of a service and its profiles. */
export interface ServiceImage {
  image: string | null;
  profiles: string[];
}

/**
 * The services in the output of `docker compose config --format json`, with or without `--no-interpolate`; null if it is not
 * usable.
 */
export function readServices(json: string): Map<string, ServiceImage> | null {
  try {
    return new Map(Object.entries(parsed(json, templates, '').services));
  } catch (error) {
    if (isFailure(error)) return null;
    throw error;
  }
}

/**
 * Reads the output of `docker compose config --format json`, and keeps only a few fields.
 * @param template the same with `--no-interpolate`; empty if compose gave none
 * @param check the command with which the operator sees what compose makes of the files
 * @param idle services to leave out
 * @throws Failure `bad-compose-config`, which never quotes the text
 */
export function readProject(
  config: string,
  template: string,
  check: string,
  idle: readonly string[] = [],
): ComposeProject {
  const { name, services } = parsed(config, project, check);
  const written = template.trim() === '' ? null : parsed(template, templates, check);
  return {
    name,
    services: new Map(
      Object.entries(services)
        .filter(([each]) => !idle.includes(each))
        .map(([each, facts]) => [
          each,
          {
            name: each,
            image: facts.image,
            imageTemplate: written?.services[each]?.image ?? null,
            containerName: facts.container_name,
            replicas: count(facts.scale) ?? count(facts.deploy?.replicas),
            publishes: (facts.ports ?? []).some(({ published }) => published !== undefined && published !== ''),
            networks: Object.keys(facts.networks ?? {}),
            networkMode: facts.network_mode,
            fixedAddress:
              facts.mac_address !== null ||
              Object.values(facts.networks ?? {}).some(
                (at) => at !== null && (at.ipv4_address ?? at.ipv6_address ?? at.mac_address) !== null,
              ),
            aliases: Object.values(facts.networks ?? {}).flatMap((at) => at?.aliases ?? []),
            dependsOn: Object.entries(facts.depends_on ?? {}).map(([on, { restart, condition }]) => ({
              service: on,
              restart: restart === true,
              awaitsEnd: condition === 'service_completed_successfully',
            })),
            sharesWith: sharedBy(facts),
            volumesFrom: volumesFrom(facts),
            composeOnly: composeOnly.filter((key) => isGiven(facts[key])),
          },
        ]),
    ),
  };
}

function count(value: unknown): number | null {
  return /^\d{1,4}$/.test(String(value)) ? Number(value) : null;
}

function parsed<T>(json: string, read: Reader<T>, check: string): T {
  try {
    return read(JSON.parse(json), '');
  } catch (error) {
    const why = isFailure(error) ? error.message : 'it is not JSON';
    throw new Failure('bad-compose-config', `The output of docker compose config is not usable: ${why}`, {
      hint: `To see what compose prints: ${check.replace(' --quiet', '')}`,
    });
  }
}

function sharedBy({ network_mode, ipc, pid }: ReturnType<typeof service>): string[] {
  const modes = [network_mode, ipc, pid].map((mode) => /^service:(.+)$/.exec(mode ?? '')?.[1]);
  return [...new Set(modes.filter((each) => each !== undefined))];
}

function volumesFrom({ volumes_from }: ReturnType<typeof service>): string[] {
  const services = (volumes_from ?? []).filter((from) => !from.startsWith('container:'));
  return [...new Set(services.flatMap((from) => from.split(':')[0] ?? []))];
}

/** Compose prints what is not given as null, or as empty. */
function isGiven(value: unknown): boolean {
  if (value === undefined || value === null || value === false) return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}
