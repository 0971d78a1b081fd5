import type { Connection } from '../../shared/host/connection.ts';
import type { Program } from '../../shared/host/program.ts';
import type { Records } from '../../shared/host/records.ts';
import type { ImageFacts } from '../../shared/releases/release.ts';
import { addressLines } from '../../shared/transaction/address.ts';

export interface WatchRequest {
  /** The compose project's name. */
  project: string;
  /** Milliseconds for all of it to become healthy. */
  healthTimeout: number;
  /** Milliseconds for which nothing may fall over then. */
  stableFor: number;
  healthUrl: URL | null;
  signal: AbortSignal;
  onLog: (line: string) => void;
}

/** A container as Docker has it at one moment. */
export interface WatchedContainer {
  id: string;
  service: string;
  /** The reference that it was made from. */
  image: string;
  imageId: string;
  created: string;
  state: string;
  exit: number;
  /** ISO 8601; another one where it was started anew. */
  started: string;
  /** How often Docker has restarted it since it was made. */
  restarts: number;
  policy: string;
  /** null where it has no health test. */
  health: string | null;
}

/** What a project was seen to do. */
export interface Watched {
  /** When all was well, or could not become so. */
  settled: WatchedContainer[];
  /** `stable-for` later. */
  after: WatchedContainer[];
  /** The last lines that each container has printed, by id. */
  words: ReadonlyMap<string, string>;
  images: ImageFacts[];
  /** `no-curl`: the host cannot ask; null where it was not asked for. */
  url: 'answers' | 'failed' | 'no-curl' | null;
  /** Milliseconds since 1970 on the host's clock, at the end. */
  clock: number;
}

const program: Program<{
  project: string;
  health_timeout: string;
  stable_for: string;
  address: readonly string[];
}> = {
  name: 'watch',
  step: 'the check of the containers',
  scripts: [
    new URL('../../shared/host/docker-template.sh', import.meta.url),
    new URL('../../shared/host/project-state.sh', import.meta.url),
    new URL('../../shared/transaction/answers.sh', import.meta.url),
    new URL('./watch.sh', import.meta.url),
  ],
};
/** Milliseconds beyond what was asked for: for Docker's own answers and the health-url. */
const slack = 120_000;

/** Watches what a project runs until it is well, and a while longer. Nothing is changed. */
export async function watch(connection: Connection, request: WatchRequest): Promise<Watched> {
  const { project, healthTimeout, stableFor, healthUrl, signal, onLog } = request;
  const seconds = (ms: number) => String(Math.ceil(ms / 1_000));
  const { result } = connection.run(
    program,
    {
      project,
      health_timeout: seconds(healthTimeout),
      stable_for: seconds(stableFor),
      address: healthUrl === null ? [] : addressLines(healthUrl).map(([name, value]) => `${name} ${value}`),
    },
    { deadline: healthTimeout + stableFor + slack, atEnd: 'end', signal, onLog },
  );
  return readWatched(await result);
}

function readWatched(records: Records): Watched {
  const containers = (key: string) => records.all(key).map((json) => JSON.parse(json) as WatchedContainer);
  return {
    settled: containers('settled'),
    after: containers('after'),
    words: new Map(
      records.all('words').map((value): [string, string] => {
        const at = value.indexOf(' ');
        return [value.slice(0, at), value.slice(at + 1).trim()];
      }),
    ),
    images: records.all('image').map((json) => {
      const { id, repoDigests } = JSON.parse(json) as { id: string; repoDigests: string[] | null };
      return { id, repoDigests: repoDigests ?? [] };
    }),
    url: (records.find('url') as Watched['url'] | undefined) ?? null,
    clock: records.integer('clock'),
  };
}
