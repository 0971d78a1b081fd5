import type { Connection } from './connection.ts';
import type { Program } from './program.ts';
import type { Records } from './records.ts';
import { readSets, type SetsSurvey } from './survey-sets.ts';

/** What the survey looks for, as the inputs name it. Paths are absolute; null leaves the choice to the host. */
export interface SurveyRequest {
  deployDir: string;
  backupDir: string;
  projectName: string | null;
  databaseService: string | null;
  databaseUser: string | null;
  databaseName: string | null;
  /** The folders of the backup folder: `FOLDER PREFIX PLACE`, a line each, as sets.sh explains. */
  layout: readonly string[];
  /** A POSIX shell script that is run in the database container, without parameters. */
  probe: string;
  /** What compose is to be asked of the project; null: nothing. */
  compose: ComposeRequest | null;
  /** Whether to look at the backups. */
  sets: boolean;
  /** Whether to look at what only a check of the set-up asks. */
  setup: boolean;
}

/** As the inputs have it: relative to the deploy folder. */
export interface ComposeRequest {
  files: readonly string[];
  envFile: string | null;
}

/** A container of the compose project, as `docker inspect` has it. */
export interface FoundContainer {
  id: string;
  name: string;
  project: string;
  service: string;
  image: string;
  imageId: string;
  created: string;
  state: string;
  health: string | null;
  /** Its number within the service. */
  number: string;
  /** The first word of the health test: `CMD`, `CMD-SHELL`, `NONE`; null where there is none. */
  healthTest: string | null;
  /** Names. */
  networks: string[];
  /** `8080/tcp` */
  exposedPorts: string[];
  volumes: { name: string; destination: string }[];
}

/** What compose says of the project. Texts are as compose printed them; the configurations hold secrets. */
export interface ComposeSurvey {
  version: string;
  /** JSON, with variables filled in, and as it is written. */
  config: string;
  template: string;
  /** Where the variables are that it misses. */
  unset: UnsetVariable[];
  /** When a compose file or the env file was changed last, in milliseconds since 1970. */
  changedAt: number;
  /** Names of the variables in the env file; null where it has none that can be read. */
  envNames: string[] | null;
  /** A keyed hash over all that a plan stands on; null where it could not be made. */
  projectState: string | null;
  images: LocalImage[];
}

/** A place in which compose looks for a variable that is not set, and takes it for empty. */
export type UnsetVariable =
  /** `holder`: the variable whose value it is part of; null where that cannot be told. */
  | { in: 'env-file'; file: string; line: number; holder: string | null }
  /** `name`: its own, where it is meant to be a variable; null where it may be a piece of something else. */
  | { in: 'compose-file'; file: string; line: number; name: string | null }
  /** In none of the files that are known. */
  | { in: 'elsewhere' };

/** An image on the host, by all of its names; it may have none. */
export interface LocalImage {
  id: string;
  repoTags: string[];
  repoDigests: string[];
}

export interface FoundFolder {
  path: string;
  /** As stat names it: `directory`. */
  type: string;
  /** Octal: `700`. */
  mode: string;
  owner: string;
  /** Number of the file system. */
  device: string;
  writable: boolean;
}

/** What the host looked like at one moment. All texts are the host's: hostile until cleaned. */
export interface Survey {
  /** Milliseconds that the host's clock is ahead of the runner's; half the round trip is uncertain. */
  clockAhead: number;
  user: string;
  bash: string;
  tools: ReadonlySet<string>;
  /** Without links; null where it does not exist. */
  deployDir: string | null;
  folders: FoundFolder[];
  /** Above the backup folder: where any user of the host could put another folder in the place of one that is there. */
  openParent: string | null;
  /** What the actions write to in the backup folder, with its type, as stat names it: `regular file`. */
  places: { type: string; path: string }[];
  /** The folder that would have to be written to and cannot; null where all is well. */
  unwritable: string | null;
  freeBytes: number;
  /** null where the file system does not count them. */
  freeInodes: number | null;
  /** Who holds the lock; null where it is free. */
  lockHolder: string | null;
  /** null where it was not asked for; an error where not all of it could be looked at. */
  sets: SetsSurvey | { error: string } | null;
  /** The engine's version, or what docker said instead. */
  docker: { version: string } | { error: string };
  containers: FoundContainer[];
  images: { id: string; repoDigests: string[] }[];
  /** Where no container belongs to the project: the projects that there are. */
  otherProjects: string[];
  /** Services that may be the database, with their state. */
  candidates: { service: string; state: string; container: string }[];
  /** null where it was not asked for. */
  compose: ComposeSurvey | { error: string } | null;
  /** `rollback/history.jsonl`, at most its last 4 MiB; null where there is none. */
  history: string | null;
  /** `rollback/deployment_tags.log`, at most its last 1 MiB. */
  auditTrail: string | null;
  /** `rollback/HOLD`: deployments should pause. */
  hold: string | null;
  /** Transactions that were begun and have not ended. */
  unfinished: string[];
  /** null where it was not asked for. */
  setup: SetupSurvey | null;
  /** What the probe printed, or why it did not. */
  probe: { output: string } | { error: string } | null;
}

/** What only a check of the set-up asks. */
export interface SetupSurvey {
  /** In the backup folder, by path below it: what others can reach, or do own. */
  open: { type: string; mode: string; owner: string; path: string }[];
  /** How many there are; more than are listed where there are very many. */
  openCount: number;
  /** Folders that could not be looked into. */
  unseen: string[];
  /** Whether logind ends what this user's sessions have started; null where there is no systemd. */
  killsSessions: 'yes' | 'no' | 'unknown' | null;
  /** Bytes on the disk of Docker; null where that could not be seen. */
  dockerFree: number | null;
  /** Who had the lock and died with it. */
  leftHolder: string | null;
}

const program: Program<{
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
  layout: readonly string[];
}> = {
  name: 'survey',
  step: 'the survey of the host',
  scripts: [
    new URL('./sets.sh', import.meta.url),
    new URL('./survey-sets.sh', import.meta.url),
    new URL('./transactions.sh', import.meta.url),
    new URL('./docker-template.sh', import.meta.url),
    new URL('./project-state.sh', import.meta.url),
    new URL('./open-parent.sh', import.meta.url),
    new URL('./survey-places.sh', import.meta.url),
    new URL('./compose-words.sh', import.meta.url),
    new URL('./survey-compose.sh', import.meta.url),
    new URL('./survey-setup.sh', import.meta.url),
    new URL('./survey.sh', import.meta.url),
  ],
};

/** Looks at the host in one session, without changing anything. */
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
      env_file: request.compose?.envFile ?? '',
      compose_files: request.compose?.files ?? [],
      layout: request.layout,
    },
    { deadline: 120_000, atEnd: 'end', signal, onLog },
  );
  return readSurvey(await result, asked, Date.now());
}

/** @param asked, answered: milliseconds since 1970 on the runner's clock; the host's lies between them */
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
      const image = JSON.parse(json) as { id: string; repoDigests: string[] | null };
      return { id: image.id, repoDigests: image.repoDigests ?? [] };
    }),
    otherProjects: (records.find('projects') ?? '').split('\n').filter((line) => line !== ''),
    candidates: records.all('candidate').map((value) => {
      const [service = '', state = '', container = ''] = value.split(' ');
      return { service, state, container };
    }),
    compose: readCompose(records),
    history: records.find('history') ?? null,
    auditTrail: records.find('audit-trail') ?? null,
    hold: records.find('hold') ?? null,
    unfinished: records.all('unfinished').filter((id) => /^\d{8}_\d{6}$/.test(id)),
    setup: readSetup(records),
    probe: probe !== undefined ? { output: probe } : probeError !== undefined ? { error: probeError } : null,
  };
}

function readSetup(records: Records): SetupSurvey | null {
  if (records.find('open-count') === undefined) return null;
  const kills = records.find('kills-sessions') as SetupSurvey['killsSessions'] | undefined;
  return {
    open: records.all('open').map((value) => {
      const [type = '', mode = '', owner = '', ...path] = value.split('|');
      return { type, mode, owner, path: path.join('|') };
    }),
    openCount: records.integer('open-count'),
    unseen: records.all('unseen').flatMap((paths) => paths.split('\n').filter((path) => path !== '')),
    killsSessions: kills ?? null,
    dockerFree: /^\d+$/.test((records.find('docker-free') ?? '').trim()) ? Number(records.find('docker-free')) : null,
    leftHolder: records.find('left-holder') ?? null,
  };
}

/** The template ends each list with a null. */
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

function readCompose(records: Records): Survey['compose'] {
  const error = records.find('compose-error');
  const version = records.find('compose-version');
  if (error !== undefined) return { error };
  if (version === undefined) return null;
  return {
    version,
    config: records.get('compose-config'),
    template: records.get('compose-template'),
    unset: readUnset(records.get('compose-unset')),
    changedAt: Number(records.get('compose-changed')) * 1_000,
    envNames: records.find('env-names')?.split('\n') ?? null,
    projectState: records.find('project-state') ?? null,
    images: readLocalImages(records.find('local-images') ?? ''),
  };
}

/** Reads `KIND LINE NAME FILE`, a line each, as unset_variables prints them. */
function readUnset(text: string): UnsetVariable[] {
  return text.split('\n').flatMap((each): UnsetVariable[] => {
    const [, kind, digits, word = '', file = ''] = /^(\w+) (\d+) (\S+) (.+)$/.exec(each) ?? [];
    const [line, name] = [Number(digits), word === '-' ? null : word];
    if (kind === 'env') return [{ in: 'env-file', file, line, holder: name }];
    if (kind === 'compose') return [{ in: 'compose-file', file, line, name }];
    return kind === 'elsewhere' ? [{ in: 'elsewhere' }] : [];
  });
}

/**
 * Reads `ID REPOSITORY TAG DIGEST`, a line for each name: an image may have several. `<none>` stands for what is missing;
 * an image that was built here and lost its tag to a newer one has no name at all, and can still be gone back to.
 */
export function readLocalImages(text: string): LocalImage[] {
  const images = new Map<string, LocalImage>();
  for (const line of text.split('\n')) {
    const [id = '', repository = '', tag = '', digest = ''] = line.split(' ');
    if (repository === '') continue;
    const image = images.get(id) ?? { id, repoTags: [], repoDigests: [] };
    images.set(id, image);
    if (repository === '<none>') continue;
    if (tag !== '<none>' && tag !== '') image.repoTags.push(`${repository}:${tag}`);
    if (digest !== '<none>' && digest !== '') image.repoDigests.push(`${repository}@${digest}`);
  }
  return [...images.values()];
}

function readFolder(value: string): FoundFolder {
  const [type = '', mode = '', owner = '', device = '', writable = '', ...path] = value.split('|');
  return { type, mode, owner, device, writable: writable === 'writable', path: path.join('|') };
}
