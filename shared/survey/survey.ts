import type { Connection } from '../host/connection.ts';
import type { Program } from '../host/program.ts';
import type { Records } from '../host/records.ts';
import { composeLines } from './compose-call.ts';
import { type ComposeExtras, type ComposeSurvey, readCompose } from './survey-compose.ts';
import { readSets, type SetsSurvey } from './survey-sets.ts';
import { readSetup, type SetupSurvey } from './survey-setup.ts';
import { readSwapFacts, type SwapFacts } from './survey-swap.ts';

/** What the survey looks for, as the inputs name it. Paths are absolute; null leaves it to the host to find out. */
export interface SurveyRequest {
  deployDir: string;
  backupDir: string;
  projectName: string | null;
  databaseService: string | null;
  databaseUser: string | null;
  databaseName: string | null;
  /** The folders of the backup folder: `FOLDER PREFIX PLACE`, a line each, as sets.sh explains. */
  layout: readonly string[];
  /** A POSIX shell script to run in the database container, without parameters. */
  probe: string;
  /** Relative to the deploy folder; empty: those from which the containers were created, or those that compose finds. */
  composeFiles: readonly string[];
  envFile: string | null;
  /** Whether to ask compose about the project, and what to tell it; null: do not ask. */
  compose: ComposeExtras | null;
  /** Whether to examine the backups. */
  sets: boolean;
  /** Whether to examine what only a check of the set-up needs. */
  setup: boolean;
}

/** A container of the compose project, from `docker inspect`. */
export interface FoundContainer {
  id: string;
  name: string;
  project: string;
  service: string;
  image: string;
  imageId: string;
  created: string;
  /** The rollback that made it; empty if it was none. */
  transaction: string;
  state: string;
  health: string | null;
  /** Its number within the service. */
  number: string;
  /** The first word of the health check: `CMD`, `CMD-SHELL`, `NONE`; null if there is no health check. */
  healthTest: string | null;
  /** Names. */
  networks: string[];
  /** `8080/tcp` */
  exposedPorts: string[];
  volumes: { name: string; destination: string }[];
}

/** Something like watchtower. */
export interface Updater {
  /** Of its container. */
  name: string;
  image: string;
}

export interface FoundFolder {
  path: string;
  /** In the words of `stat`: `directory`. */
  type: string;
  /** Octal: `700`. */
  mode: string;
  owner: string;
  /** Number of the file system. */
  device: string;
  writable: boolean;
}

/** The state of the host at one moment. All texts come from the host: hostile until cleaned. */
export interface Survey {
  /** Milliseconds by which the host's clock is ahead of the runner's, at least: the time for the answer is not counted. */
  clockAhead: number;
  user: string;
  bash: string;
  tools: ReadonlySet<string>;
  /** With symbolic links resolved; null if it does not exist. */
  deployDir: string | null;
  /** Those of the files named by the inputs that the user does not find. */
  absent: ReadonlySet<string>;
  folders: FoundFolder[];
  /** A folder above the backup folder in which any user on the host could replace other folders. */
  openParent: string | null;
  /** Files that the actions write in the backup folder, with their type in the words of `stat`: `regular file`. */
  places: { type: string; path: string }[];
  /** A folder that must be writable but is not; null if all are. */
  unwritable: string | null;
  freeBytes: number;
  /** null if the file system does not count them. */
  freeInodes: number | null;
  /** Who holds the lock; null if it is free. */
  lockHolder: string | null;
  /** null if not requested; an error if not everything could be examined. */
  sets: SetsSurvey | { error: string } | null;
  /** The engine's version, or what docker said instead. */
  docker: { version: string } | { error: string };
  containers: FoundContainer[];
  /** `variables`: the names of those that the image sets. */
  images: { id: string; repoDigests: string[]; variables: string[] }[];
  /** Containers of any project that replace others by themselves; empty if compose was not asked either. */
  updaters: Updater[];
  /** If no container belongs to the project: the projects on the host. */
  otherProjects: string[];
  /** Services that may be the database, with their state. */
  candidates: { service: string; state: string; container: string }[];
  /** null if not requested. */
  compose: ComposeSurvey | { error: string } | null;
  /** null if compose was not asked, or the project has no containers. */
  swapFacts: SwapFacts | null;
  /** `rollback/history.jsonl`, at most its last 4 MiB; null if it does not exist. */
  history: string | null;
  /** `rollback/deployment_tags.log`, at most its last 1 MiB. */
  auditTrail: string | null;
  /** Text of `rollback/HOLD`, which tells deployments to pause. */
  hold: string | null;
  /** A journal could not be read, so that a transaction may be unfinished without being listed. */
  journalsUnreadable: boolean;
  /** Transactions that have begun and not ended. */
  unfinished: string[];
  /** null if not requested. */
  setup: SetupSurvey | null;
  /** What the probe printed, or why it failed. */
  probe: { output: string } | { error: string } | null;
}

export const program: Program<{
  deploy_dir: string;
  backup_dir: string;
  project: string;
  service: string;
  database_user: string;
  database: string;
  inside_script: string;
  with_sets: string;
  with_setup: string;
  with_compose: string;
  env_file: string;
  compose_files: readonly string[];
  compose_extras: readonly string[];
  layout: readonly string[];
}> = {
  name: 'survey',
  step: 'the survey of the host',
  scripts: [
    new URL('./sets.sh', import.meta.url),
    new URL('./folder-id.sh', import.meta.url),
    new URL('./survey-sets.sh', import.meta.url),
    new URL('./transactions.sh', import.meta.url),
    new URL('./left-behind.sh', import.meta.url),
    new URL('./docker-template.sh', import.meta.url),
    new URL('./project-state.sh', import.meta.url),
    new URL('../host/open-parent.sh', import.meta.url),
    new URL('./survey-places.sh', import.meta.url),
    new URL('./compose-words.sh', import.meta.url),
    new URL('./find-project.sh', import.meta.url),
    new URL('./adopt-files.sh', import.meta.url),
    new URL('./survey-compose.sh', import.meta.url),
    new URL('./sharers.sh', import.meta.url),
    new URL('./survey-swap.sh', import.meta.url),
    new URL('./survey-setup.sh', import.meta.url),
    new URL('./survey-updaters.sh', import.meta.url),
    new URL('./ports.sh', import.meta.url),
    new URL('./survey-proxies.sh', import.meta.url),
    new URL('./survey.sh', import.meta.url),
  ],
};

/** Surveys the host in one session, without changing anything. */
export async function survey(
  connection: Connection,
  request: SurveyRequest,
  signal: AbortSignal,
  onLog: (line: string) => void,
): Promise<Survey> {
  const asked = Date.now();
  const { result } = connection.run(
    program,
    {
      deploy_dir: request.deployDir,
      backup_dir: request.backupDir,
      project: request.projectName ?? '',
      service: request.databaseService ?? '',
      database_user: request.databaseUser ?? '',
      database: request.databaseName ?? '',
      inside_script: request.probe,
      with_sets: request.sets ? 'yes' : '',
      with_setup: request.setup ? 'yes' : '',
      with_compose: request.compose === null ? '' : 'yes',
      env_file: request.envFile ?? '',
      compose_files: request.composeFiles,
      compose_extras: composeLines(request.compose ?? {}),
      layout: request.layout,
    },
    { deadline: 120_000, atEnd: 'end', signal, onLog },
  );
  return readSurvey(await result, asked, Date.now());
}

/** @param asked, answered: milliseconds since 1970 on the runner's clock; the host read its clock in between */
function readSurvey(records: Records, asked: number, answered: number): Survey {
  const clock = records.integer('clock');
  const inodes = records.get('free-inodes');
  const docker = records.find('docker');
  const probe = records.find('probe');
  const probeError = records.find('probe-error');
  return {
    clockAhead: clock > answered ? clock - answered : Math.min(0, clock - asked),
    user: records.get('user'),
    bash: records.get('bash'),
    tools: new Set(records.all('tool')),
    deployDir: records.find('deploy-dir') ?? null,
    absent: new Set(records.all('absent')),
    folders: records.all('folder').map(readFolder),
    openParent: records.find('open-parent') ?? null,
    places: records.all('place').map((value) => {
      const [type = '', ...path] = value.split('|');
      return { type, path: path.join('|') };
    }),
    unwritable: records.find('unwritable') ?? null,
    freeBytes: records.integer('free-bytes'),
    freeInodes: /^\d+$/.test(inodes) && inodes !== '0' ? Number(inodes) : null,
    lockHolder: records.find('lock-holder') ?? null,
    sets: readSets(records),
    docker: docker === undefined ? { error: records.find('docker-error') ?? '' } : { version: docker },
    containers: records.all('container').map(readContainer),
    images: records.all('image').map((json) => {
      const image = JSON.parse(json) as { id: string; repoDigests: string[] | null; variables: (string | null)[] };
      const variables = image.variables.filter((name) => name !== null);
      return { id: image.id, repoDigests: image.repoDigests ?? [], variables };
    }),
    otherProjects: records.lines('projects'),
    updaters: records.all('updater').map((value) => {
      const [name = '', image = ''] = value.split(' ');
      return { name, image };
    }),
    candidates: records.all('candidate').map((value) => {
      const [service = '', state = '', container = ''] = value.split(' ');
      return { service, state, container };
    }),
    compose: readCompose(records),
    swapFacts: readSwapFacts(records),
    history: records.find('history') ?? null,
    auditTrail: records.find('audit-trail') ?? null,
    hold: records.find('hold') ?? null,
    unfinished: records.all('unfinished').filter((id) => /^\d{8}_\d{6}$/.test(id)),
    journalsUnreadable: records.find('journals-unreadable') !== undefined,
    setup: readSetup(records),
    probe: probe !== undefined ? { output: probe } : probeError !== undefined ? { error: probeError } : null,
  };
}

/** In the output of the template, each list ends with a null. */
function readContainer(json: string): FoundContainer {
  const container = JSON.parse(json) as FoundContainer;
  const { networks, exposedPorts, volumes } = container;
  const present = <T>(items: readonly (T | null)[]) => items.filter((item) => item !== null);
  return {
    ...container,
    networks: present(networks),
    exposedPorts: present(exposedPorts),
    volumes: present(volumes),
  };
}

function readFolder(value: string): FoundFolder {
  const [type = '', mode = '', owner = '', device = '', writable = '', ...path] = value.split('|');
  return { type, mode, owner, device, writable: writable === 'writable', path: path.join('|') };
}
