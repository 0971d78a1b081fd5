import type { FoundContainer, FoundProxy, LocalImage, UnsetVariable } from '../host/survey.ts';
import type { ComposeProject } from '../releases/project.ts';
import type { Release, RunningImage } from '../releases/release.ts';
import type { Strategy } from './strategy.ts';
import type { Wanted } from './target.ts';

/** What the rollback does to one service. */
export interface ServiceStep {
  service: string;
  strategy: Strategy;
  /** A printed line. */
  why: string;
  fromImage: RunningImage;
  /** Its containers run different images; `fromImage` is that of the newest. */
  mixed: boolean;
  /** The names of the two images for people: preferably a tag other than the one in the compose file. */
  fromName: string | null;
  toName: string | null;
  /** `imageId` is null if it is known only after the pull. */
  toImage: RunningImage;
  /** The reference to pull; null if the host has the image. */
  pull: string | null;
  /** The image's id; null if the host does not have it. */
  localImage: string | null;
  /** The image has no digest from a registry: if the host loses it, it is gone. */
  onlyHere: boolean;
  fixedName: string | null;
  /** Anonymous volumes, by destination in the container. The new container takes them over, to keep their data. */
  anonymousVolumes: Record<string, string>;
  /** The compose file's own reference, if it is to point at the target afterwards. */
  retag: string | null;
  /** The line of the env file that sets the tag; null if none does. */
  envLine: { variable: string; value: string } | null;
  /** It has a health check, which can prove that it works. */
  proven: boolean;
}

export interface PlanNote {
  level: 'info' | 'warning';
  text: string;
}

/** A rollback that could be carried out now. */
export interface Plan {
  project: string;
  /** In the order of the swap: dependencies first. */
  services: ServiceStep[];
  leftAlone: { service: string; why: string }[];
  from: Release;
  /** The whole release that will run. */
  to: Release;
  source: string;
  notes: PlanNote[];
  schemaCrossed: 'no' | 'yes' | 'unknown';
  /** Services that look like reverse proxies. */
  proxies: string[];
  /** Proxies that look a swapped service up only when they start: they are reloaded after its swap. */
  lookedUpOnce: { service: string; proxy: string }[];
  /** The host's keyed hash over everything that the plan relies on. */
  projectState: string;
  /** SHA-256 in hex over everything that the plan decides. */
  hash: string;
}

export interface PlanRequest {
  project: ComposeProject;
  /** As `docker compose version --short` prints it. */
  composeVersion: string;
  /** The containers of the project. */
  containers: readonly FoundContainer[];
  images: readonly LocalImage[];
  running: Release;
  databases: ReadonlySet<string>;
  wanted: Wanted;
  strategy: Strategy | 'auto';
  proxyService: string | null;
  /** Running containers that may be reverse proxies. */
  proxies: readonly FoundProxy[];
  /** What users request, if it is known. */
  healthUrl: URL | null;
  persist: 'retag' | 'none';
  /** Names of the variables in the env file; null if there is no such file. */
  envNames: readonly string[] | null;
  /** The places that use variables that are not set. */
  unset: readonly UnsetVariable[];
  /** When a compose file or the env file was last changed, in milliseconds since 1970. */
  filesChangedAt: number;
  /** The newest release in the history on the host. */
  newestKnown: Release | null;
  /** Hash of the current schema, as the newest backup recorded it in the history; null if unknown. */
  schemaNow: string | null;
  projectState: string;
}
