// What an action asks of GitHub besides the runner: artifacts and caches of the results service, and the REST calls about
// them, in front of a real blob store. GitHub itself cannot be had; this keeps its words as its own libraries send them.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startBlobs } from './blobs.ts';
import {
  callResults,
  type GithubRun,
  Refusal,
  type RunFacts,
  type Stored,
  type StoredArtifact,
} from './github-results.ts';
import { github as runnerWords } from './runner/step.ts';

/** GitHub, and what it keeps. */
export interface Github extends Stored {
  /** The token of every job, which may read actions until it is taken away. */
  token: string;
  mayReadActions: boolean;
  /** Where set, every request whose path matches is answered so; `silent` never. */
  fault: { path: RegExp; answer: number | 'silent' } | null;
  /** `GET /repos/…` and the methods of the results service, in the order in which they came. */
  readonly requests: string[];
  /** A run that starts now; by default one that may be trusted. */
  startRun(facts?: Partial<RunFacts>): GithubRun;
  /** As at first. What the libraries still ask for in an earlier run is refused: they cannot be stopped. */
  startAnew(): void;
  close(): Promise<void>;
}

/** Starts it on loopback; it ends with this process at the latest. */
export async function startGithub(): Promise<Github> {
  const blobs = await startBlobs();
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const runs: GithubRun[] = [];
  let lastId = 1_000;
  const nextId = () => {
    lastId += 1;
    return lastId;
  };

  const self: Github = {
    token: 'ghs_lab',
    mayReadActions: true,
    fault: null,
    artifacts: [],
    caches: [],
    requests: [],
    startRun(facts = {}) {
      const repositoryId = Number(runnerWords.repository_id);
      const run = {
        id: nextId(),
        event: 'workflow_dispatch',
        headBranch: 'main',
        repositoryId,
        headRepositoryId: repositoryId,
        ...facts,
      };
      const known = { ...run, env: environmentOf(origin, run) };
      runs.push(known);
      return known;
    },
    startAnew() {
      runs.length = 0;
      self.artifacts = [];
      self.caches.length = 0;
      self.requests.length = 0;
      self.fault = null;
      self.mayReadActions = true;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await blobs.close();
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', origin);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const method = /^\/twirp\/github\.actions\.results\.api\.v1\.(\w+)\/(\w+)$/.exec(url.pathname);
    self.requests.push(method?.[2] ?? `${request.method} ${url.pathname}${url.search}`);
    const { fault } = self;
    if (fault?.path.test(url.pathname)) {
      if (fault.answer === 'silent') return;
      return send(response, fault.answer, { message: 'planted', code: 'planted', msg: 'planted' });
    }
    try {
      const answered =
        method === null
          ? rest(url, request)
          : await callResults(method[2] ?? '', Buffer.concat(chunks).toString(), request, {
              stored: self,
              blobs,
              nextId,
              runs,
            });
      if (answered instanceof URL) response.writeHead(302, { location: answered.href }).end();
      else send(response, 200, answered);
    } catch (error) {
      const status = error instanceof Refusal ? error.status : 500;
      send(response, status, { message: String(error), code: 'refused', msg: (error as Error).message });
    }
  }

  /** An answer, or where to find it. */
  function rest(url: URL, request: IncomingMessage): object {
    if (!/^(bearer|token) ghs_lab$/i.test(request.headers.authorization ?? ''))
      throw new Refusal(401, 'Bad credentials');
    if (!self.mayReadActions) throw new Refusal(403, 'Resource not accessible by integration');
    const path = url.pathname.replace(`/repos/${runnerWords.repository}/actions/`, '');
    const [, kind, number, zip] = /^(artifacts|runs)(?:\/(\d+))?(\/zip)?$/.exec(path) ?? [];
    if (kind === 'runs') {
      const run = runs.find(({ id }) => id === Number(number));
      if (run === undefined) throw new Refusal(404, 'Not Found');
      return { id: run.id, event: run.event, head_repository: { id: run.headRepositoryId } };
    }
    if (kind !== 'artifacts') throw new Refusal(404, 'Not Found');
    if (number === undefined) {
      const found = self.artifacts.filter(({ name }) => name === url.searchParams.get('name'));
      const size = Number(url.searchParams.get('per_page') ?? 30);
      const start = (Number(url.searchParams.get('page') ?? 1) - 1) * size;
      const page = found.slice(start, start + size).map(listed);
      return { total_count: found.length, artifacts: page };
    }
    const artifact = self.artifacts.find(({ id }) => id === Number(number));
    if (artifact === undefined) throw new Refusal(404, 'Not Found');
    if (zip === undefined) return listed(artifact);
    if (artifact.expired) throw new Refusal(410, 'Artifact has expired');
    return new URL(blobs.url(artifact.blob, 'r'));
  }

  return self;
}

function environmentOf(origin: string, run: RunFacts & { id: number }): Record<string, string> {
  const scope = { scp: `Actions.Results:run-${run.id}:job` };
  const token = ['{}', JSON.stringify(scope), 'x'].map((part) => Buffer.from(part).toString('base64url')).join('.');
  return {
    ACTIONS_RESULTS_URL: `${origin}/`,
    ACTIONS_RUNTIME_TOKEN: token,
    ACTIONS_CACHE_SERVICE_V2: 'true',
    GITHUB_API_URL: origin,
    GITHUB_EVENT_NAME: run.event,
    // As for a schedule: the main branch is the one it runs from.
    GITHUB_REF_NAME: run.headBranch,
    GITHUB_RUN_ID: String(run.id),
  };
}

function listed({ id, name, digest, bytes, createdAt, expiresAt, expired, run }: StoredArtifact): object {
  return {
    id,
    name,
    digest,
    size_in_bytes: bytes,
    created_at: createdAt.toISOString(),
    expires_at: expiresAt.toISOString(),
    expired,
    workflow_run: {
      id: run.id,
      repository_id: run.repositoryId,
      head_repository_id: run.headRepositoryId,
      head_branch: run.headBranch,
      head_sha: runnerWords.sha,
    },
  };
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
