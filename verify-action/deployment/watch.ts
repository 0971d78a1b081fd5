import type { Connection } from '../../shared/host/connection.ts';
import type { Program } from '../../shared/host/program.ts';
import type { Records } from '../../shared/host/records.ts';
import type { ImageFacts } from '../../shared/releases/release.ts';
import { addressLines } from '../../shared/transaction/address.ts';

export interface WatchRequest {
  /** The compose project's name. */
  project: string;
  /** Milliseconds for everything to become healthy. */
  healthTimeout: number;
  /** Milliseconds for which nothing may fall over after that. */
  stableFor: number;
  healthUrl: URL | null;
  signal: AbortSignal;
  onLog: (line: string) => void;
}

/** The state of a container at one moment. */
export interface WatchedContainer {
  id: string;
  service: string;
  /** The image reference that it was created from. */
  image: string;
  imageId: string;
  created: string;
  state: string;
  exit: number;
  /** ISO 8601; changes when the container is restarted. */
  started: string;
  /** How often Docker has restarted it since it was created. */
  restarts: number;
  policy: string;
  /** null if it has no health check. */
  health: string | null;
  /** The transaction that made it; empty or null if it was no rollback. */
  rollback: string | null;
}

/** A port that a container publishes, and what answers there. */
export interface WatchedAddress {
  /** `127.0.0.1:8080` */
  address: string;
  service: string;
  /** The status of an HTTP answer; `closed` if nobody holds a connection, `other` if somebody does, but speaks no HTTP. */
  answer: string;
}

/** What was seen of a project. */
export interface Watched {
  /** When everything was healthy, or it was clear that it never would be. */
  settled: WatchedContainer[];
  /** `stable-for` later. */
  after: WatchedContainer[];
  /** The last lines of each container's log, by id. */
  words: ReadonlyMap<string, string>;
  /** The ids of containers whose own health test passes when we run it; Docker has not done so yet. */
  passes: ReadonlySet<string>;
  /** The ids of those whose own test has failed when we ran it. */
  fails: ReadonlySet<string>;
  /** The TCP ports that the project publishes on the host. */
  addresses: readonly WatchedAddress[];
  images: ImageFacts[];
  /** `no-curl`: the host cannot ask; null if there is no health-url. */
  url: 'answers' | 'failed' | 'no-curl' | null;
  /** Milliseconds since 1970 on the host's clock, at the end. */
  clock: number;
}

export const program: Program<{
  project: string;
  health_timeout: string;
  stable_for: string;
  address: readonly string[];
}> = {
  name: 'watch',
  step: 'the container check',
  scripts: [
    new URL('../../shared/survey/docker-template.sh', import.meta.url),
    new URL('../../shared/survey/project-state.sh', import.meta.url),
    new URL('../../shared/survey/ports.sh', import.meta.url),
    new URL('../../shared/transaction/answers.sh', import.meta.url),
    new URL('../../shared/transaction/health-test.sh', import.meta.url),
    new URL('./watch.sh', import.meta.url),
  ],
};
/** Extra milliseconds for Docker's answers and the health-url. */
const slack = 120_000;

/** Watches a project until it is healthy, and then for a while longer. Changes nothing. */
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
    passes: new Set(records.all('passes')),
    fails: new Set(records.all('fails')),
    addresses: records.all('address').map((value) => {
      const [address = '', service = '', answer = ''] = value.split(' ');
      return { address, service, answer };
    }),
    images: records.all('image').map((json) => {
      const { id, repoDigests } = JSON.parse(json) as { id: string; repoDigests: string[] | null };
      return { id, repoDigests: repoDigests ?? [] };
    }),
    url: (records.find('url') as Watched['url'] | undefined) ?? null,
    clock: records.integer('clock'),
  };
}
