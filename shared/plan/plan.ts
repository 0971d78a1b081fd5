import type { ComposeProject } from '../releases/project.ts';
import type { Release, RunningImage } from '../releases/release.ts';
import type { SettingsDrift } from '../releases/service-settings.ts';
import type { FoundContainer, Updater } from '../survey/survey.ts';
import type { FoundProxy, LocalImage, UnsetVariable } from '../survey/survey-compose.ts';
import type { SwapFacts } from '../survey/survey-swap.ts';
import type { RestoreStep } from './restore-step.ts';
import type { SettingsOfTarget } from './settings.ts';
import type { Strategy } from './strategy.ts';
import type { Wanted } from './target.ts';

/**
 * How a service is swapped. `job`: a one-off task that others await, run to its end. `create-only`: it is not running and stays
 * that way; its container is made from the target.
 */
export type StepStrategy = Strategy | 'job' | 'create-only';

/** What the rollback does to one service. */
export interface ServiceStep {
  service: string;
  strategy: StepStrategy;
  /** A printed line. */
  why: string;
  fromImage: RunningImage;
  /** Its containers run different images; `fromImage` is that of the newest. */
  mixed: boolean;
  /** The names of the two images for people. */
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
  /** The compose file's own reference, if it is to point at the target afterwards; only a tag that moves is. */
  retag: string | null;
  /** The variable that is the whole tag in the compose file. */
  variable: string | null;
  /** The line of the env file that sets the tag; null if none does. */
  envLine: { variable: string; value: string } | null;
  /** It has a health check, which can prove that it works; or it need not be at work. */
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
  /** The target starts with other settings than it ran with: if it fails, these may be why. */
  otherSettings: boolean;
  /** Services that look like reverse proxies. */
  proxies: string[];
  /** Proxies that look a swapped service up only when they start: they are reloaded after its swap. */
  lookedUpOnce: { service: string; proxy: string }[];
  /** null: the database is left alone. */
  restore: RestoreStep | null;
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
  /** Stores of data that nobody named: they are left alone. */
  stores: ReadonlySet<string>;
  /** The services that the input "services" names. */
  named: ReadonlySet<string>;
  /** Whether jobs that others await are run. */
  jobs: 'run' | 'skip';
  swapFacts: SwapFacts;
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
  /** How settings have changed since the target ran. */
  settings: readonly SettingsOfTarget[];
  /** By service: how its settings differ from those of its container. */
  drift: ReadonlyMap<string, SettingsDrift>;
  /** Where variables of compose belong, on the host. */
  envFilePath: string;
  /** What replaces containers by itself on this host. */
  updaters: readonly Updater[];
  /** When a compose file or the env file was last changed, in milliseconds since 1970. */
  filesChangedAt: number;
  /** The newest release in the history on the host. */
  newestKnown: Release | null;
  /** Hash of the current schema, as the newest backup recorded it in the history; null if unknown. */
  schemaNow: string | null;
  projectState: string;
}
