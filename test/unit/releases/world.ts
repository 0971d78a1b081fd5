import type { FoundContainer, LocalImage } from '../../../shared/host/survey.ts';
import type { PlanRequest } from '../../../shared/releases/plan.ts';
import type { ComposeProject, ComposeService } from '../../../shared/releases/project.ts';
import { releaseOf } from '../../../shared/releases/release.ts';
import type { Wanted, WantedImage } from '../../../shared/releases/target.ts';
import { hex, image } from '../history/records.ts';

/** Of the registry, and on the host: `web:v2`. */
export const digest = (name: string): string => image(name).digest ?? '';
export const imageId = (name: string): string => image(name).imageId ?? '';

export function service(name: string, changes: Partial<ComposeService> = {}): ComposeService {
  return {
    name,
    image: `ghcr.io/acme/${name}:latest`,
    imageTemplate: null,
    containerName: null,
    publishes: false,
    networks: ['default'],
    networkMode: null,
    fixedAddress: false,
    dependsOn: [],
    sharesWith: [],
    ...changes,
  };
}

export function project(...services: ComposeService[]): ComposeProject {
  return { name: 'shop', services: new Map(services.map((each) => [each.name, each])) };
}

/** A container that runs what is named: `container('web:v3')`. */
export function container(runs: string, changes: Partial<FoundContainer> = {}): FoundContainer {
  const [name = ''] = runs.split(':');
  return {
    id: hex(`c-${runs}`),
    name: `shop-${name}-1`,
    project: 'shop',
    service: name,
    configFiles: '/opt/shop/docker-compose.yml',
    image: `ghcr.io/acme/${name}:latest`,
    imageId: imageId(runs),
    created: '2026-11-20T10:00:00.5Z',
    state: 'running',
    health: 'healthy',
    number: '1',
    healthTest: 'CMD-SHELL',
    healthInterval: 10e9,
    networks: ['default'],
    exposedPorts: ['8080/tcp'],
    volumes: [],
    ...changes,
  };
}

/** An image that was pulled: `local('web:v2')`. */
export function local(name: string, changes: Partial<LocalImage> = {}): LocalImage {
  const [repository = ''] = name.split(':');
  return {
    id: imageId(name),
    repoTags: [`ghcr.io/acme/${name}`],
    repoDigests: [`ghcr.io/acme/${repository}@${digest(name)}`],
    ...changes,
  };
}

/** As a record of the history has it: `wanted('web:v2', 'api:v2')`. */
export function wanted(...names: string[]): Wanted {
  return wantedImages(Object.fromEntries(names.map((name) => [name.split(':')[0] ?? '', wantedImage(name)])));
}

export function wantedImage(name: string): WantedImage {
  const { tag, digest: content, imageId: id } = image(name);
  return { tag, digest: content, imageId: id };
}

export function wantedImages(images: Record<string, WantedImage>): Wanted {
  return { images: new Map(Object.entries(images)), source: 'the input "target"', record: null, unknown: [] };
}

/** A project that runs v3 of an API and of a website that needs it, with a database, and has v2 of both on the host. */
export function planRequest(changes: Partial<PlanRequest> = {}): PlanRequest {
  const containers = changes.containers ?? [container('db:15'), container('api:v3'), container('web:v3')];
  const images = changes.images ?? ['db:15', 'api:v2', 'api:v3', 'web:v2', 'web:v3'].map((name) => local(name));
  return {
    project: project(
      service('web', { dependsOn: [{ service: 'api', restart: false }] }),
      service('api', { dependsOn: [{ service: 'db', restart: false }] }),
      service('db', { image: 'postgres:15' }),
    ),
    containers,
    images,
    running: releaseOf(containers, images),
    databases: new Set(['db']),
    wanted: wanted('web:v2', 'api:v2'),
    strategy: 'auto',
    proxyService: null,
    persist: 'retag',
    envNames: null,
    complaints: '',
    filesChangedAt: Date.parse('2026-11-01T00:00:00Z'),
    newestKnown: null,
    schemaNow: null,
    world: hex('world'),
    ...changes,
  };
}
