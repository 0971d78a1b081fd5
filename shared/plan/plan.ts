import type { FoundContainer, LocalImage, UnsetVariable } from '../host/survey.ts';
import type { ComposeProject } from '../releases/project.ts';
import type { Release, RunningImage } from '../releases/release.ts';
import type { Strategy } from './strategy.ts';
import type { Wanted } from './target.ts';

/** What is to be done to one service. */
export interface ServiceStep {
  service: string;
  strategy: Strategy;
  /** A printed line. */
  why: string;
  fromImage: RunningImage;
  /** Its containers run different images; `fromImage` is that of the newest. */
  mixed: boolean;
  /** What people call the two images: a tag of the repository that is not the compose file's own, where there is one. */
  fromName: string | null;
  toName: string | null;
  /** `imageId` is null where it is known only once it is pulled. */
  toImage: RunningImage;
  /** What is to be pulled; null where it is on the host. */
  pull: string | null;
  /** The image's id, where it is on the host. */
  localImage: string | null;
  /** It has no digest in a registry: where the host loses it, it is gone. */
  onlyHere: boolean;
  fixedName: string | null;
  /** By destination in the container: volumes without a name, whose data would else be left behind. */
  anonymousVolumes: Record<string, string>;
  /** The compose file's own reference, where it is to point at the target from then on. */
  retag: string | null;
  /** The line of the env file that sets the tag; null where none does. */
  envLine: { variable: string; value: string } | null;
  /** It has a health test, so that it can be proven well. */
  proven: boolean;
}

export interface PlanNote {
  level: 'info' | 'warning';
  text: string;
}

/** A rollback that could be done now. */
export interface Plan {
  project: string;
  /** In the order of the swap: what others depend on comes first. */
  services: ServiceStep[];
  leftAlone: { service: string; why: string }[];
  from: Release;
  /** The whole release that will run. */
  to: Release;
  source: string;
  notes: PlanNote[];
  schemaCrossed: 'no' | 'yes' | 'unknown';
  /** The host's keyed hash over what the plan stands on. */
  projectState: string;
  /** Over all that decides: SHA-256 in hex. */
  hash: string;
}

export interface PlanRequest {
  project: ComposeProject;
  /** As `docker compose version --short` prints it. */
  composeVersion: string;
  /** Of the project. */
  containers: readonly FoundContainer[];
  images: readonly LocalImage[];
  running: Release;
  databases: ReadonlySet<string>;
  wanted: Wanted;
  strategy: Strategy | 'auto';
  proxyService: string | null;
  persist: 'retag' | 'none';
  /** Names of the variables of the env file; null where there is none. */
  envNames: readonly string[] | null;
  /** Where the variables are that compose misses. */
  unset: readonly UnsetVariable[];
  /** When a compose file or the env file was changed last, in milliseconds since 1970. */
  filesChangedAt: number;
  /** The newest release that the history on the host tells of. */
  newestKnown: Release | null;
  /** What the history says of the schema that there is now, as the newest backup told it; null where it does not. */
  schemaNow: string | null;
  projectState: string;
}
