// GitHub's results service, as its libraries for artifacts and caches call it: one function for each method.
import type { IncomingMessage } from 'node:http';
import type { Blobs } from './blobs.ts';

/** A run of a workflow, as GitHub knows it. */
export interface RunFacts {
  event: string;
  headBranch: string;
  repositoryId: number;
  headRepositoryId: number;
}

export interface GithubRun extends RunFacts {
  id: number;
  /** What the runner gives the steps of this run, for `env` of an action. */
  env: Record<string, string>;
}

/** An artifact in the service; what a test changes here, GitHub says of it. */
export interface StoredArtifact {
  id: number;
  name: string;
  run: GithubRun;
  blob: string;
  bytes: number;
  digest: string;
  createdAt: Date;
  expiresAt: Date;
  expired: boolean;
}

/** What the service keeps. */
export interface Stored {
  artifacts: StoredArtifact[];
  /** The newest last. */
  readonly caches: { key: string; version: string; blob: string; whole: boolean }[];
}

/** An answer other than 200. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** What a method works with. */
interface Call {
  stored: Stored;
  blobs: Blobs;
  run: GithubRun;
  nextId(): number;
  asked: Record<string, unknown>;
  /** A field of what was asked, which the libraries may wrap; empty if it is missing. */
  word(name: string): string;
}

/**
 * Answers one call.
 * @param runs those whose tokens are known
 * @throws Refusal
 */
export async function callResults(
  method: string,
  body: string,
  request: IncomingMessage,
  known: Pick<Call, 'stored' | 'blobs' | 'nextId'> & { runs: readonly GithubRun[] },
): Promise<object> {
  const runId = runOf(request);
  const run = known.runs.find(({ id }) => id === runId);
  if (run === undefined) throw new Refusal(401, 'bad token');
  const asked = JSON.parse(body) as Record<string, unknown>;
  const word = (name: string) => {
    const value = asked[name];
    return String(typeof value === 'object' && value !== null && 'value' in value ? value.value : (value ?? ''));
  };
  const answer = methods[method];
  if (answer === undefined) throw new Refusal(404, `no method ${method}`);
  return answer({ ...known, run, asked, word });
}

const day = 24 * 3_600_000;

const methods: Readonly<Record<string, (call: Call) => object | Promise<object>>> = {
  CreateArtifact(call) {
    if (named(call) !== undefined)
      throw new Refusal(409, 'an artifact with this name already exists on the workflow run');
    return { ok: true, signed_upload_url: call.blobs.url(uploadOf(call), 'cw') };
  },

  async FinalizeArtifact(call) {
    const { stored, blobs, run, word } = call;
    const id = call.nextId();
    const createdAt = new Date();
    const blob = `artifact-${id}`;
    await blobs.copy(uploadOf(call), blob);
    stored.artifacts.push({
      id,
      name: word('name'),
      run,
      blob,
      bytes: Number(word('size')),
      digest: word('hash'),
      createdAt,
      expiresAt: new Date(createdAt.getTime() + 90 * day),
      expired: false,
    });
    return { ok: true, artifact_id: String(id) };
  },

  ListArtifacts(call) {
    const [name, id] = ['name_filter', 'id_filter'].map(call.word);
    const artifacts = ownArtifacts(call).filter(
      (artifact) => (name === '' || artifact.name === name) && (id === '' || String(artifact.id) === id),
    );
    return {
      artifacts: artifacts.map((artifact) => ({
        workflow_run_backend_id: `run-${call.run.id}`,
        workflow_job_run_backend_id: 'job',
        database_id: String(artifact.id),
        name: artifact.name,
        size: String(artifact.bytes),
        created_at: artifact.createdAt.toISOString(),
        digest: artifact.digest,
      })),
    };
  },

  GetSignedArtifactURL: (call) => ({ signed_url: call.blobs.url(found(call).blob, 'r') }),

  DeleteArtifact(call) {
    const gone = found(call);
    call.stored.artifacts = call.stored.artifacts.filter((each) => each !== gone);
    return { ok: true, artifact_id: String(gone.id) };
  },

  CreateCacheEntry(call) {
    if (cacheOf(call, true) !== undefined)
      return { ok: false, message: 'cache entry with the same key already exists' };
    const blob = `cache-${call.nextId()}`;
    call.stored.caches.push({ key: call.word('key'), version: call.word('version'), blob, whole: false });
    return { ok: true, signed_upload_url: call.blobs.url(blob, 'cw') };
  },

  FinalizeCacheEntryUpload(call) {
    const entry = cacheOf(call, false);
    if (entry === undefined) throw new Refusal(404, 'no such entry');
    entry.whole = true;
    return { ok: true, entry_id: '1' };
  },

  GetCacheEntryDownloadURL(call) {
    const prefixes = (call.asked['restore_keys'] ?? []) as string[];
    const hit =
      cacheOf(call, true) ??
      call.stored.caches.findLast(
        ({ key, version, whole }) =>
          whole && version === call.word('version') && prefixes.some((prefix) => key.startsWith(prefix)),
      );
    return {
      ok: hit !== undefined,
      signed_download_url: call.blobs.url(hit?.blob ?? 'none', 'r'),
      matched_key: hit?.key ?? '',
    };
  },
};

const ownArtifacts = ({ stored, run }: Call) => stored.artifacts.filter((artifact) => artifact.run.id === run.id);

const named = (call: Call) => ownArtifacts(call).find(({ name }) => name === call.word('name'));

/** Where an artifact is sent to, before it is one. */
const uploadOf = ({ run, word }: Call) => `artifact-${run.id}-${word('name')}`;

function found(call: Call): StoredArtifact {
  const artifact = named(call);
  if (artifact === undefined) throw new Refusal(404, 'artifact not found');
  return artifact;
}

function cacheOf({ stored, word }: Call, isWhole: boolean): Stored['caches'][number] | undefined {
  return stored.caches.findLast(
    ({ key, version, whole }) => key === word('key') && version === word('version') && whole === isWhole,
  );
}

/** The run that a token is for. */
function runOf(request: IncomingMessage): number {
  const payload = (request.headers.authorization ?? '').split('.')[1] ?? '';
  const { scp = '' } = JSON.parse(Buffer.from(payload, 'base64url').toString() || '{}') as { scp?: string };
  return Number(/^Actions\.Results:run-(\d+):job$/.exec(scp)?.[1]);
}
