import type { HistoryRecord } from '../../shared/history/record.ts';
import type { Target } from '../../shared/plan/target.ts';
import type { TagMeaning } from '../../shared/releases/ask-registry.ts';
import type { ComposeProject } from '../../shared/releases/project.ts';
import type { LocalImage } from '../../shared/survey/survey-compose.ts';
import type { Watched, WatchedContainer } from './watch.ts';

/** The facts by which a deployment is judged. */
export interface DeploymentFacts {
  project: ComposeProject;
  /** Where and as whom compose is called, and the command to copy: `On the host, as deploy: cd /opt/shop && docker compose`. */
  compose: string;
  watched: Watched;
  /** The host's images, to resolve names to ids. */
  images: readonly LocalImage[];
  databases: ReadonlySet<string>;
  /** Services that somebody has stopped, or that a rollback left stopped, and whether others are likely to ask them for something. */
  stopped: ReadonlyMap<string, { serves: boolean }>;
  /** What should be running; null: what the compose file names, or the last record. */
  expect: Target | null;
  /** What the registry says of the tags that `expect` names, by `repository:tag`. */
  meanings: ReadonlyMap<string, TagMeaning>;
  /** The host's own history, in the order of its file. */
  history: readonly HistoryRecord[];
  environment: string;
  /** A tag on its own is meant for images from this registry. */
  registry: string;
  healthUrl: URL | null;
  /** Milliseconds. */
  healthTimeout: number;
  stableFor: number;
}

/** The containers of one service. */
export const containersOf = (containers: readonly WatchedContainer[], service: string): WatchedContainer[] =>
  containers.filter((container) => container.service === service);
