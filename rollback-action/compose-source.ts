import { Failure } from '../shared/failure.ts';
import type { HistoryRecord } from '../shared/history/record.ts';
import type { Connection } from '../shared/host/connection.ts';
import type { ComposeOrigin } from '../shared/plan/override.ts';
import type { SettingsOfTarget } from '../shared/plan/settings.ts';
import type { WantedImage } from '../shared/plan/target-image.ts';
import type { Wanted } from '../shared/plan/wanted-release.ts';
import { type KeptCompose, readKept } from '../shared/releases/kept-compose.ts';
import type { ComposeProject } from '../shared/releases/project.ts';
import {
  differingSettings,
  type KnownSettings,
  settingsChanged,
  settingsOf,
} from '../shared/releases/settings-hash.ts';
import * as log from '../shared/runner/log.ts';
import { absolute, type ComposeCall, envFilesOf, projectFolder } from '../shared/survey/compose-call.ts';
import type { Survey } from '../shared/survey/survey.ts';
import type { ComposeSurvey } from '../shared/survey/survey-compose.ts';
import type { RollbackInputs } from './inputs.ts';

/** The configuration from which the target is created. */
export interface ComposeSource {
  call: ComposeCall;
  config: string;
  values: string;
  projectState: string | null;
  settings: KnownSettings | null;
  /** The user's own files: what the containers of the target name as theirs. */
  origin: ComposeOrigin;
  /** The compose files, and the env files that compose reads, absolute: what is kept. */
  files: string[];
  envFiles: string[];
  /** Of docker compose. */
  version: string;
  /** The folder on the host with the kept files, if those are used. */
  keptIn: string | null;
}

/** The configuration as it is now. */
export function currentSource(compose: ComposeSurvey, deployDir: string): ComposeSource {
  const { call, config, values, projectState } = compose;
  const files = call.files.map((file) => absolute(file, deployDir));
  return {
    call,
    config,
    values,
    projectState,
    settings: settingsOf(compose),
    origin: { files, envFiles: call.envFiles.map((file) => absolute(file, deployDir)) },
    files,
    envFiles: envFilesOf(call, deployDir),
    version: compose.version,
    keptIn: null,
  };
}

/**
 * The configuration that was kept of the target.
 * @throws Failure `not-kept`
 */
export async function keptSource(
  connection: Connection,
  current: ComposeSource,
  then: KnownSettings | null,
  project: string,
  inputs: RollbackInputs,
  signal: AbortSignal,
): Promise<ComposeSource> {
  const kept = then === null ? null : await read(connection, current, then, project, inputs, signal);
  if (kept === null || then === null) {
    throw new Failure('not-kept', 'The host has kept no compose files of the target', {
      hint: 'Set compose: current. They are kept whenever verify-action finds a deployment good, and after a rollback',
    });
  }
  const { call, config, values, projectState, files } = kept;
  const keptIn = `${inputs.backupDir}/rollback/compose/${then.kept}`;
  const origin = { ...current.origin, files };
  return { ...current, call, config, values, projectState, origin, files, settings: then, keptIn };
}

function read(
  connection: Connection,
  current: ComposeSource,
  then: KnownSettings,
  project: string,
  { backupDir, deployDir }: RollbackInputs,
  signal: AbortSignal,
): Promise<KeptCompose | null> {
  const directory = projectFolder(current.call, deployDir);
  return readKept(
    connection,
    { backupDir, deployDir, id: then.kept, project, directory, call: current.call },
    signal,
    log.host,
  );
}

/** By what the settings of the target are compared. */
export interface TargetGround {
  seen: Survey;
  current: ComposeSource;
  wanted: Wanted;
  /** The host's own records of this environment. */
  history: readonly HistoryRecord[];
  project: ComposeProject;
}

/** How the settings of each service of the target have changed since it ran. */
export async function settingsOfTarget(
  connection: Connection,
  { seen, current, wanted, history, project }: TargetGround,
  inputs: RollbackInputs,
  signal: AbortSignal,
): Promise<SettingsOfTarget[]> {
  const changes = [...wanted.images].map(([service, image]) => {
    const images = new Map([[service, image]]);
    const then = settingsWhenRan(history, images);
    const files = filesChangedSince(seen, service, lastSeen(history, images)?.at ?? null);
    const change = settingsChanged(then, current.settings, service);
    return { service, then, change: files.length > 0 ? ('yes' as const) : change, files };
  });
  const then = changes.find(({ change }) => change === 'yes')?.then ?? null;
  const kept = then === null ? null : await read(connection, current, then, project.name, inputs, signal);
  return changes.map(({ service, change, files }) => ({
    service,
    change,
    differing: [
      ...(change === 'yes' && kept !== null ? differingSettings(kept.config, current.config, service) : []),
      ...files.map((file) => `the file ${file}`),
    ],
    isKept: kept !== null,
  }));
}

/** The settings with which these images were last seen; null if the history does not say. */
export function settingsWhenRan(
  history: readonly HistoryRecord[],
  images: ReadonlyMap<string, WantedImage>,
): KnownSettings | null {
  const known = history.filter(({ settings }) => settings !== null);
  return lastSeen(known, images)?.settings ?? null;
}

/** The files that a service mounts and that have changed since a moment. */
function filesChangedSince({ compose, containers }: Survey, service: string, at: string | null): string[] {
  if (compose === null || 'error' in compose || at === null) return [];
  const ids = new Set(containers.filter((container) => container.service === service).map(({ id }) => id));
  const mounts = compose.settings.filter(({ id }) => ids.has(id)).flatMap((each) => each.mounts);
  const sources = new Set(mounts.map(({ Source }) => Source));
  return compose.mountedFiles
    .filter(({ path, changedAt }) => sources.has(path) && changedAt > Date.parse(at))
    .map(({ path }) => path);
}

/** The last record that has these images. */
function lastSeen(
  history: readonly HistoryRecord[],
  images: ReadonlyMap<string, WantedImage>,
): HistoryRecord | undefined {
  const isSame = (one: WantedImage, other: WantedImage | undefined) =>
    other !== undefined &&
    ((one.digest !== null && one.digest === other.digest) || (one.imageId !== null && one.imageId === other.imageId));
  return history.findLast(
    ({ status, event, release }) =>
      status === 'succeeded' &&
      event !== 'drill' &&
      [...images].every(([service, image]) => isSame(image, release[service])),
  );
}
