// A shop with nothing to object to, for the tests of releases to change: a database, an api, a web service that depends on
// it, and a proxy before both.
import type { HistoryRecord } from '../../../shared/history/record.ts';
import type { PlanRequest } from '../../../shared/plan/plan-request.ts';
import type { Wanted } from '../../../shared/plan/wanted-release.ts';
import type { ComposeProject, ComposeService } from '../../../shared/releases/project.ts';
import type { Release, RunningImage } from '../../../shared/releases/release.ts';
import type { FoundContainer } from '../../../shared/survey/survey.ts';
import { type ContainerEnding, noSwapFacts } from '../../../shared/survey/survey-swap.ts';
import { record as anyRecord } from '../history/records.ts';

/** A digest, or the id of an image, out of one hex digit. */
export const sha = (digit: string): string => `sha256:${digit.repeat(64)}`;

export function service(name: string, changes: Partial<ComposeService> = {}): ComposeService {
  return {
    name,
    image: `ghcr.io/acme/${name}:v3`,
    imageTemplate: null,
    containerName: null,
    publishes: false,
    networks: ['default'],
    networkMode: null,
    fixedAddress: false,
    aliases: [],
    dependsOn: [],
    replicas: null,
    sharesWith: [],
    volumesFrom: [],
    composeOnly: [],
    ...changes,
  };
}

export function projectOf(...services: readonly ComposeService[]): ComposeProject {
  return { name: 'shop', services: new Map(services.map((each) => [each.name, each])) };
}

/** @param changes to services by name */
export function shop(changes: Record<string, Partial<ComposeService>> = {}): ComposeProject {
  return projectOf(
    service('web', { dependsOn: [{ service: 'api', restart: false, awaitsEnd: false }], ...changes['web'] }),
    service('proxy', { image: 'nginx:1.27', publishes: true, ...changes['proxy'] }),
    service('db', { image: 'postgres:17', ...changes['db'] }),
    service('api', { dependsOn: [{ service: 'db', restart: false, awaitsEnd: false }], ...changes['api'] }),
  );
}

export function container(of: string, changes: Partial<FoundContainer> = {}): FoundContainer {
  return {
    id: `id-of-${of}`,
    name: `/shop-${of}-1`,
    project: 'shop',
    service: of,
    image: `ghcr.io/acme/${of}:v3`,
    imageId: sha('3'),
    created: '2026-11-23T12:00:00Z',
    transaction: '',
    state: 'running',
    health: 'healthy',
    number: '1',
    healthTest: 'CMD',
    networks: ['shop_default'],
    exposedPorts: ['8080/tcp'],
    volumes: [],
    ...changes,
  };
}

/** How a container of `container` ended: by itself, and well. */
export function ending(of: string, changes: Partial<ContainerEnding> = {}): ContainerEnding {
  return {
    id: `id-of-${of}`,
    policy: 'no',
    exitCode: 0,
    outOfMemory: false,
    startFailed: false,
    finishedAt: 2_000,
    dockerSince: 1_000,
    events: [],
    writes: [],
    ...changes,
  };
}

/** As it runs, and is called: `v3` has the digest aaa… and the id 333…. */
export function image(of: string, version: string, digest: string | null, imageId: string | null): RunningImage {
  return { image: `ghcr.io/acme/${of}:${version}`, tag: version, digest, imageId };
}

export const running: Release = {
  api: image('api', 'v3', sha('a'), sha('3')),
  db: { image: 'postgres:17', tag: '17', digest: sha('d'), imageId: sha('4') },
  proxy: { image: 'nginx:1.27', tag: '1.27', digest: sha('e'), imageId: sha('5') },
  web: image('web', 'v3', sha('b'), sha('3')),
};

/** To go back to v2 of `api` and `web`, which both are on the host. */
export function request(changes: Partial<PlanRequest> = {}): PlanRequest {
  return {
    project: shop(),
    composeVersion: '2.26.1',
    containers: [container('web'), container('proxy'), container('db'), container('api')],
    images: [
      { id: sha('3'), repoTags: ['ghcr.io/acme/api:v3', 'ghcr.io/acme/web:v3'], repoDigests: [] },
      {
        id: sha('2'),
        repoTags: ['ghcr.io/acme/api:v2'],
        repoDigests: [`ghcr.io/acme/api@${sha('c')}`, `ghcr.io/acme/web@${sha('c')}`],
      },
    ],
    running,
    databases: new Set(['db']),
    stores: new Set(),
    named: new Set(),
    dropped: new Set(),
    jobs: 'run',
    swapFacts: noSwapFacts,
    volumeContents: new Map(),
    wanted: wanted({
      api: { tag: 'v2', digest: sha('c'), imageId: null },
      web: { tag: 'v2', digest: sha('c'), imageId: null },
    }),
    strategy: 'auto',
    proxyService: null,
    proxies: [{ service: 'proxy', answers: ['127.0.0.1:80'], looksUpOnce: [] }],
    healthUrl: null,
    persist: 'retag',
    envNames: ['TAG'],
    unset: [],
    drift: new Map(),
    settings: [],
    envFilePath: '/opt/shop/.env',
    updaters: [],
    filesChangedAt: Date.parse('2026-11-22T12:00:00Z'),
    newestKnown: running,
    schemaNow: '1'.repeat(64),
    projectState: 'f'.repeat(64),
    ...changes,
  };
}

/** @param images by service */
export function wanted(
  images: Record<string, { tag: string | null; digest: string | null; imageId: string | null }>,
  changes: Partial<Wanted> = {},
): Wanted {
  return {
    images: new Map(Object.entries(images)),
    source: 'a test',
    record: null,
    unknown: [],
    knownBad: null,
    ...changes,
  };
}

/** The record of a deployment that was good. */
export function record(changes: Partial<HistoryRecord> = {}): HistoryRecord {
  return anyRecord({
    id: '7-1-00000001',
    at: '2026-11-20T12:00:00Z',
    event: 'deploy',
    verdict: 'good',
    release: { api: image('api', 'v2', sha('c'), sha('2')), web: image('web', 'v2', sha('c'), sha('2')) },
    schemaSha256: '1'.repeat(64),
    ...changes,
  });
}
