import type { CopyKind, HistoryMirror, LoadedCopies } from '../history/known-history.ts';
import { downloadText, uploadText } from './artifact-store.ts';
import { findPointer, savePointer } from './cache-store.ts';
import type { WorkflowContext } from './context.ts';
import type { GithubApi } from './github-api.ts';
import { answered, limited, unsupported, whyNot } from './github-patience.ts';
import { Refusals } from './library-words.ts';
import { quietly } from './log.ts';
import { candidates, isTrustedRun, type ListedArtifact, type Trust } from './provenance.ts';

export interface MirrorRequest {
  environment: string;
  kinds: readonly CopyKind[];
  /** Used to read artifacts of earlier runs; null if the workflow does not give one. */
  token: string | null;
  workflow: WorkflowContext;
}

/** For one of several copies: a slow one must not cost the others. */
const patienceForOne = 10_000;
/** For the cache, which only saves time. */
const patienceForCache = 3_000;
/** How many copies to merge. */
const mostCopies = 10;
/** How many to look at if the newest are not trusted. */
const mostCandidates = 30;
/** Pages of the list to read. GitHub's list has no order, so read all of it. */
const mostPages = 10;
const day = 24 * 3_600_000;

/** The copies of one environment's history, in GitHub's artifacts; a cache says where the newest is. */
export function historyMirror(request: MirrorRequest): HistoryMirror {
  return {
    async load() {
      const { kinds, token, workflow } = request;
      if (!kinds.includes('artifact')) return { texts: [], notices: [], needsRefresh: false };
      const failed = (why: string) => ({ texts: [], notices: [`Could not read copies of the history: ${why}`] });
      if (token === null) return { ...failed('no "github-token" was given'), needsRefresh: true };
      const trust = trustOf(workflow);
      if (trust === null || workflow.repository === null)
        return { ...failed('the workflow does not name its repository and main branch'), needsRefresh: true };
      const { repository } = workflow;
      return limited(
        () => loadTrusted({ ...request, token, repository }, trust),
        (why) => ({ ...failed(advised(why)), needsRefresh: true }),
      );
    },
    async save(text, merge) {
      if (!request.kinds.includes('artifact')) return { notices: [] };
      return limited(
        () => store(request, text, merge),
        (why) => ({ notices: [`Could not store a copy of the history: ${advised(why)}`] }),
      );
    },
  };
}

/** Whose copies to accept; null if that is unknown: then accept none. */
function trustOf({ repositoryId, defaultBranch, refName }: WorkflowContext): Trust | null {
  if (repositoryId === null || !/^\d+$/.test(repositoryId) || defaultBranch === null) return null;
  return {
    repositoryId: Number(repositoryId),
    branches: refName === null ? [defaultBranch] : [defaultBranch, refName],
  };
}

interface KnownRequest extends MirrorRequest {
  token: string;
  repository: string;
}

async function loadTrusted(request: KnownRequest, trust: Trust): Promise<LoadedCopies> {
  const { environment, kinds, token, repository } = request;
  const name = `deployment-history-${environment}`;
  const { githubApi } = await import('./github-api.ts');
  const api = githubApi(repository, token);
  const found = await find(api, name, kinds.includes('cache'));
  const trusted = await firstTrusted(api, candidates(found, name, trust), trust);
  const copies = await Promise.allSettled(
    trusted.map((artifact) => answered(patienceForOne, downloadText(api, artifact))),
  );
  const [newest] = trusted;
  return {
    texts: copies.flatMap((copy) => (copy.status === 'fulfilled' ? [copy.value] : [])),
    notices: copies.flatMap((copy) =>
      copy.status === 'rejected' ? [`Ignored a copy of the history: ${whyNot(copy.reason)}`] : [],
    ),
    needsRefresh: newest === undefined || newest.expiresAt < Date.now() + 30 * day,
  };
}

/**
 * Lists the copies. The list has no order, and is long if there are many deployments. If the cache points to the newest
 * copy, the first page is enough: in practice it has the other new ones, which concurrent runs may have written.
 */
async function find(api: GithubApi, name: string, byCache: boolean): Promise<ListedArtifact[]> {
  const pointer = byCache ? await answered(patienceForCache, findPointer(name)).catch(() => null) : null;
  const newest = pointer === null ? null : await api.artifact(pointer).catch(() => null);
  return newest === null ? api.artifacts(name, mostPages) : [newest, ...(await api.artifacts(name, 1))];
}

/** Looks up the runs of these artifacts, as many at a time as are still needed. */
async function firstTrusted(api: GithubApi, artifacts: readonly ListedArtifact[], trust: Trust) {
  const trusted: ListedArtifact[] = [];
  const waiting = artifacts.slice(0, mostCandidates);
  while (trusted.length < mostCopies && waiting.length > 0) {
    const asked = waiting.splice(0, mostCopies - trusted.length);
    const runs = await Promise.all(asked.map(({ runId }) => api.run(runId)));
    trusted.push(...asked.filter((_, index) => isTrustedRun(runs[index] ?? null, trust)));
  }
  return trusted;
}

async function store(
  { environment, kinds, workflow }: MirrorRequest,
  text: string,
  merge: (other: string) => string,
): Promise<{ notices: string[] }> {
  const name = `deployment-history-${environment}`;
  const id = await uploadText(name, text, merge);
  if (!kinds.includes('cache')) return { notices: [] };
  const run = `${workflow.runId ?? 0}-${workflow.runAttempt ?? 0}`;
  const refusals = new Refusals();
  const saving = quietly(() => savePointer(name, run, id), refusals.hear);
  const why = await answered(patienceForCache, saving).then(
    (isSaved) => (isSaved ? null : (refusals.last ?? 'the library gave no reason')),
    (error) => whyNot(error, refusals.last),
  );
  return { notices: why === null ? [] : [`Stored the history, but not the cache that points to it: ${why}`] };
}

function advised(why: string): string {
  if (why !== unsupported) return why;
  return `${why}. The history stays on the host; set history: "" to silence this notice`;
}
