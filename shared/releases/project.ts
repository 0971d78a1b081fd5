import { Failure, isFailure } from '../failure.ts';
import type { FoundContainer } from '../host/survey.ts';
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
  /** Services whose network, processes, memory or volumes it shares. */
  sharesWith: string[];
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

const project = shape<{ name: string; services: Record<string, ReturnType<typeof service>> }>({
  name: shortText,
  services: mapOf(isServiceName, service, mostServices),
});

const templates = shape<{ services: Record<string, { image: string | null }> }>({
  services: mapOf(isServiceName, shape<{ image: string | null }>({ image: orNull(shortText) }), mostServices),
});

/**
 * Reads the output of `docker compose config --format json`, and keeps only a few fields.
 * @param template the same with `--no-interpolate`; empty if compose gave none
 * @throws Failure `bad-compose-config`, which never quotes the text
 */
export function readProject(config: string, template: string): ComposeProject {
  const { name, services } = parsed(config, project);
  const written = template.trim() === '' ? null : parsed(template, templates).services;
  return {
    name,
    services: new Map(
      Object.entries(services).map(([each, facts]) => [
        each,
        {
          name: each,
          image: facts.image,
          imageTemplate: written?.[each]?.image ?? null,
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
        },
      ]),
    ),
  };
}

/** @throws Failure `other-project` where the containers are those of another one */
export function checkProjectName(name: string, containers: readonly FoundContainer[]): void {
  const running = containers[0]?.project;
  if (running === undefined || running === name) return;
  throw new Failure(
    'other-project',
    `The compose file belongs to the project "${name}", but the running project is "${running}"`,
    {
      hint: `Set "project-name": ${running}, or correct "compose-file" and "env-file"`,
    },
  );
}

function count(value: unknown): number | null {
  return /^\d{1,4}$/.test(String(value)) ? Number(value) : null;
}

function parsed<T>(json: string, read: Reader<T>): T {
  try {
    return read(JSON.parse(json), '');
  } catch (error) {
    const why = isFailure(error) ? error.message : 'it is not JSON';
    throw new Failure('bad-compose-config', `The output of docker compose config is not usable: ${why}`, {
      hint: 'In deploy-dir on the host, run: docker compose config --quiet. Check "compose-file", "env-file" and "project-name"',
    });
  }
}

function sharedBy({ network_mode, ipc, pid, volumes_from }: ReturnType<typeof service>): string[] {
  const modes = [network_mode, ipc, pid].map((mode) => /^service:(.+)$/.exec(mode ?? '')?.[1]);
  const volumes = (volumes_from ?? []).map((from) => (from.startsWith('container:') ? undefined : from.split(':')[0]));
  return [...new Set([...modes, ...volumes].filter((each) => each !== undefined))];
}
