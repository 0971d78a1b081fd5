import type { Connection } from './connection.ts';
import type { Records } from './records.ts';

/** What the survey looks for. Paths are absolute; an empty text leaves the choice to the host. */
export interface SurveyRequest {
  deployDir: string;
  backupDir: string;
  projectName: string;
  databaseService: string;
  databaseUser: string;
  databaseName: string;
  /** A POSIX shell script that is run in the database container, without parameters. */
  probe: string;
}

/** A container of the compose project, as `docker inspect` has it. */
export interface FoundContainer {
  id: string;
  name: string;
  project: string;
  service: string;
  /** Comma-separated paths. */
  configFiles: string;
  image: string;
  imageId: string;
  created: string;
  state: string;
  health: string | null;
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
  /** The folder that would have to be written to and cannot; null where all is well. */
  unwritable: string | null;
  freeBytes: number;
  /** null where the file system does not count them. */
  freeInodes: number | null;
  /** Who holds the lock; null where it is free. */
  lockHolder: string | null;
  /** Another text where a set in a tier has come, gone or changed. */
  setsState: string;
  files: { bytes: number; path: string }[];
  /** By path below the backup folder. */
  manifests: Map<string, string>;
  /** The engine's version, or what docker said instead. */
  docker: { version: string } | { error: string };
  containers: FoundContainer[];
  images: { id: string; repoDigests: string[] }[];
  /** Where no container belongs to the project: the projects that there are. */
  otherProjects: string[];
  /** Services that may be the database, with their state. */
  candidates: { service: string; state: string; container: string }[];
  /** What the probe printed, or why it did not. */
  probe: { output: string } | { error: string } | null;
}

const program = {
  name: 'survey',
  scripts: [new URL('./sets.sh', import.meta.url), new URL('./survey.sh', import.meta.url)],
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
    [
      request.deployDir,
      request.backupDir,
      request.projectName,
      request.databaseService,
      request.databaseUser,
      request.databaseName,
      request.probe,
    ],
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
    unwritable: records.find('unwritable') ?? null,
    freeBytes: records.integer('free-bytes'),
    freeInodes: /^\d+$/.test(inodes) && inodes !== '0' ? Number(inodes) : null,
    lockHolder: records.find('lock-holder') ?? null,
    setsState: records.get('sets-state'),
    files: records.all('file').map((value) => {
      const [bytes = '', path = ''] = split(value, ' ');
      return { bytes: Number(bytes), path };
    }),
    manifests: readManifests(records),
    docker: docker === undefined ? { error: records.find('docker-error') ?? '' } : { version: docker },
    containers: records.all('container').map((json) => JSON.parse(json) as FoundContainer),
    images: records.all('image').map((json) => {
      const image = JSON.parse(json) as { id: string; repoDigests: string[] | null };
      return { id: image.id, repoDigests: image.repoDigests ?? [] };
    }),
    otherProjects: (records.find('projects') ?? '').split('\n').filter((line) => line !== ''),
    candidates: records.all('candidate').map((value) => {
      const [service = '', state = '', container = ''] = value.split(' ');
      return { service, state, container };
    }),
    probe: probe !== undefined ? { output: probe } : probeError !== undefined ? { error: probeError } : null,
  };
}

/** Other names of a manifest stand behind it. */
function readManifests(records: Records): Map<string, string> {
  const manifests = new Map(records.all('manifest').map((value) => split(value, '\n')));
  for (const value of records.all('manifest-again')) {
    const [path, first] = split(value, '\n');
    manifests.set(path, manifests.get(first) ?? '');
  }
  return manifests;
}

function readFolder(value: string): FoundFolder {
  const [type = '', mode = '', owner = '', device = '', writable = '', ...path] = value.split('|');
  return { type, mode, owner, device, writable: writable === 'writable', path: path.join('|') };
}

/** In two at the first separator: what follows may hold it again. */
function split(value: string, separator: string): [string, string] {
  const at = value.indexOf(separator);
  return at < 0 ? [value, ''] : [value.slice(0, at), value.slice(at + separator.length)];
}
