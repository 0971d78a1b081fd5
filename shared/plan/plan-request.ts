import type { VolumeContents } from '../releases/compare-volumes.ts';
import type { ComposeProject } from '../releases/project.ts';
import type { Release } from '../releases/release.ts';
import type { SettingsDrift } from '../releases/service-settings.ts';
import type { FoundContainer, Updater } from '../survey/survey.ts';
import type { FoundProxy, LocalImage, UnsetVariable } from '../survey/survey-compose.ts';
import type { SwapFacts } from '../survey/survey-swap.ts';
import type { SettingsOfTarget } from './settings.ts';
import type { Wanted } from './wanted-release.ts';

/** How a service is swapped: one after the other, or new containers beside the old. */
export type Strategy = 'recreate' | 'blue-green';

/** What a plan is made from. */
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
  /** With the settings that were kept of the target: its services that today's compose file no longer has. */
  dropped: ReadonlySet<string>;
  /** Whether jobs that others await are run. */
  jobs: 'run' | 'skip';
  swapFacts: SwapFacts;
  /** What is in volumes that lie over files of the image; empty before anybody has looked. */
  volumeContents: VolumeContents;
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
