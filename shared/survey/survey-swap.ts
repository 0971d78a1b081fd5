import type { Records } from '../host/records.ts';

/** What decides how services can be swapped, as the host tells it. */
export interface SwapFacts {
  sharers: Sharer[];
  endings: ContainerEnding[];
  /** Running containers of the project that `docker compose run` has made. No rollback swaps them. */
  oneOffs: { name: string; imageId: string }[];
  /** Names of the variables that the images of the project set themselves, by image id. */
  imageVariables: ReadonlyMap<string, readonly string[]>;
}

/** A container, of whatever project, that cannot live without another. */
export interface Sharer {
  name: string;
  what: 'network' | 'processes' | 'memory' | 'link';
  /** The id or name of the other. */
  of: string;
}

/** What is known of a container beyond its state: how it ended, if it did, and where it may write. */
export interface ContainerEnding {
  id: string;
  /** The restart policy: `no`, `always`, `unless-stopped`, `on-failure`; empty for none. */
  policy: string;
  exitCode: number;
  outOfMemory: boolean;
  /** Docker could not start it the last time it tried. */
  startFailed: boolean;
  /** Milliseconds since 1970; NaN if it has not ended. */
  finishedAt: number;
  /** Docker has been running at least since then: an earlier end may be due to a restart. Milliseconds since 1970. */
  dockerSince: number;
  /** What Docker remembers of its end: `kill`, `die`, `stop`; empty if it has forgotten. */
  events: string[];
  /** The folders in the container that are mounted and can be written to. */
  writes: string[];
}

/** Of a project without containers. */
export const noSwapFacts: SwapFacts = { sharers: [], endings: [], oneOffs: [], imageVariables: new Map() };

/** null if the survey did not ask for them. */
export function readSwapFacts(records: Records): SwapFacts | null {
  const since = records.find('docker-since');
  if (since === undefined) return null;
  const events = new Map(
    records.all('end-events').map((line) => {
      const [id = '', ...actions] = line.trim().split(' ');
      return [id, actions];
    }),
  );
  return {
    sharers: records.all('sharer').map((line) => {
      const [name = '', what = '', of = ''] = line.split(' ');
      return { name, what: what as Sharer['what'], of };
    }),
    endings: records.all('ending').map((json) => {
      const ending = JSON.parse(json) as ContainerEnding & { finishedAt: string };
      return {
        ...ending,
        finishedAt: Date.parse(ending.finishedAt),
        dockerSince: Number(since) * 1_000,
        events: events.get(ending.id) ?? [],
        writes: ending.writes.filter((path) => path !== null),
      };
    }),
    oneOffs: records.all('one-off').map((line) => {
      const [name = '', imageId = ''] = line.split(' ');
      return { name, imageId };
    }),
    imageVariables: new Map(
      records.all('image-variables').map((json) => {
        const { id, variables } = JSON.parse(json) as { id: string; variables: (string | null)[] };
        return [id, variables.filter((name) => name !== null)];
      }),
    ),
  };
}
