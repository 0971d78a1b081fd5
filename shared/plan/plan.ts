import type { Release, RunningImage } from '../releases/release.ts';
import type { Strategy } from './plan-request.ts';
import type { RestoreStep } from './restore-step.ts';

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

/** What an operator should know of a plan. */
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
