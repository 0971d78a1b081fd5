import type { Records } from '../host/records.ts';
import { type ComposeCall, readComposeCall } from './compose-call.ts';

/** What compose must be told besides its files: see compose-call.ts. */
export type ComposeExtras = Pick<ComposeCall, 'profiles' | 'variables'>;

/** What compose says about the project. Texts are as compose printed them; the configurations contain secrets. */
export interface ComposeSurvey {
  version: string;
  /** How compose was called, to be called again in the same way. */
  call: ComposeCall;
  /** The files from which the containers were created, if others were given; else empty. */
  otherFiles: string[];
  /** Files from which the containers were created and that cannot be read. */
  missingFiles: string[];
  /** JSON: `config` with variables filled in, `template` with variables as written in the files. */
  config: string;
  template: string;
  /** Services that are part of the configuration only because of a profile that another one needs. */
  idle: string[];
  /** Where unset variables are used. */
  unset: UnsetVariable[];
  /** Their names, each of which may be a piece of a password: never to be shown as they are. */
  unsetNames: string[];
  /** What each container was created with: secrets. */
  settings: ContainerSettings[];
  /** The configuration with the values of `compose-values`, as `x-values`; empty if there are none. Secrets. */
  values: string;
  /** With it, hashes of settings are made; null if Docker did not tell it. */
  settingsKey: string | null;
  /** Files that are mounted into containers, and when they were changed, in milliseconds since 1970. */
  mountedFiles: { path: string; changedAt: number }[];
  /** If compose cannot read the files: why, as far as that may leave the host; empty if it is hidden there. */
  words: string;
  /** When a compose file or the env file was last changed, in milliseconds since 1970. */
  changedAt: number;
  /** Names of the variables in the env file; null if no env file can be read. */
  envNames: string[] | null;
  /** A keyed hash of everything that a plan is based on; null if it could not be computed. */
  projectState: string | null;
  images: LocalImage[];
  proxies: FoundProxy[];
}

/** A running container that may be a reverse proxy. */
export interface FoundProxy {
  service: string;
  /** The addresses on the host at which it answers: `127.0.0.1:8080`. */
  answers: string[];
  /** The hosts that it resolves only when it starts; null if its configuration does not tell. */
  looksUpOnce: string[] | null;
}

/** What a container was given at its creation: secrets, only to be compared with the configuration. */
export interface ContainerSettings {
  id: string;
  /** `NAME=value` */
  environment: string[] | null;
  labels: Record<string, string> | null;
  command: string[] | null;
  entrypoint: string[] | null;
  user: string;
  hostname: string;
  workingDir: string;
  /** By port in the container, `8080/tcp`. */
  ports: Record<string, { HostIp: string; HostPort: string }[] | null> | null;
  mounts: { Type: string; Name?: string; Source: string; Destination: string }[];
}

/** A place where a variable is used that is not set; compose takes it for empty. */
export type UnsetVariable =
  /** `holder`: the variable in whose value it is used; null if unknown. */
  | { in: 'env-file'; file: string; line: number; holder: string | null }
  /** `name`: its own name if it clearly is a variable; null if it may be part of something else, such as a password. */
  | { in: 'compose-file'; file: string; line: number; name: string | null }
  /** In none of the known files. */
  | { in: 'elsewhere' };

/** An image on the host with all of its names; it may have none. */
export interface LocalImage {
  id: string;
  repoTags: string[];
  repoDigests: string[];
}

/** null if the survey was not asked for it; an error if compose could not be asked. */
export function readCompose(records: Records): ComposeSurvey | { error: string } | null {
  const error = records.find('compose-error');
  const version = records.find('compose-version');
  if (error !== undefined) return { error };
  if (version === undefined) return null;
  return {
    version,
    call: readComposeCall(records.all('compose-call')),
    otherFiles: records.lines('compose-deployed'),
    missingFiles: records.lines('compose-missing'),
    config: records.get('compose-config'),
    template: records.get('compose-template'),
    idle: [],
    unset: readUnset(records.get('compose-unset')),
    words: records.get('compose-words'),
    unsetNames: records.lines('compose-unset-names'),
    values: records.find('compose-values') ?? '',
    settingsKey: records.find('settings-key')?.trim() ?? null,
    mountedFiles: records.lines('mounted-files').map((line) => {
      const at = line.indexOf(' ');
      return { path: line.slice(at + 1), changedAt: Number(line.slice(0, at)) * 1_000 };
    }),
    settings: records.all('container-settings').map((json) => JSON.parse(json) as ContainerSettings),
    changedAt: Number(records.get('compose-changed')) * 1_000,
    envNames: records.find('env-names')?.split('\n') ?? null,
    projectState: records.find('project-state') ?? null,
    images: readLocalImages(records.find('local-images') ?? ''),
    proxies: records.all('proxy').map(readProxy),
  };
}

/** Reads the service and the lines of survey-proxies.sh. */
function readProxy(text: string): FoundProxy {
  const [service = '', ...lines] = text.split('\n');
  const after = (word: string) =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => line.slice(word.length + 1));
  return { service, answers: after('answers'), looksUpOnce: lines.includes('unread') ? null : after('looks-up-once') };
}

/** Reads lines `KIND LINE NAME FILE`, as unset_variables prints them. */
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
 * Reads lines `ID REPOSITORY TAG DIGEST`, one for each name of an image. `<none>` stands for a missing part. An image that
 * was built here and lost its tag to a newer one has no name at all, but a rollback can still use it.
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
