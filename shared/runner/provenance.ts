import { bool, count, listOf, orNull, type Reader, shape, text, textThat } from '../untrusted.ts';

// Anybody who opens a pull request can add artifacts to this repository's list, with any name and from a branch of any name.
// So what GitHub says about the origin of an artifact decides whether we read it at all.

/** An artifact in GitHub's list. */
export interface ListedArtifact {
  id: number;
  name: string;
  /** `sha256:<hex>` of the archive. */
  digest: string;
  /** Size of the archive. */
  bytes: number;
  /** Milliseconds since 1970. */
  createdAt: number;
  expiresAt: number;
  expired: boolean;
  runId: number;
  repositoryId: number;
  headRepositoryId: number;
  headBranch: string;
}

/** What GitHub says about the run that created an artifact. */
export interface ListedRun {
  event: string;
  headRepositoryId: number;
}

/** Whose artifacts to accept. */
export interface Trust {
  repositoryId: number;
  /** The main branch, and the branch of this run itself, whose workflow we obey anyway. */
  branches: readonly string[];
}

/** Events that only people with write access to the repository can cause. */
const trustedEvents = ['push', 'workflow_dispatch', 'schedule', 'repository_dispatch', 'release'];

/** Longer archives are not ours: a history has at most this many bytes even before it is packed. */
const longestArchive = 1024 * 1024;

const instant: Reader<number> = (value, place) => {
  const read = textThat((each) => !Number.isNaN(Date.parse(each)), 'a time')(value, place);
  return Date.parse(read);
};

const digest = textThat((value) => /^sha256:[0-9a-f]{64}$/.test(value), 'a digest');
const words = text(1_000);

const artifactShape = shape({
  id: count,
  name: words,
  digest,
  size_in_bytes: count,
  created_at: instant,
  expires_at: instant,
  expired: bool,
  workflow_run: shape({ id: count, repository_id: count, head_repository_id: count, head_branch: words }),
});

const listShape = shape({ total_count: count, artifacts: listOf<unknown>((value) => value, 1_000) });
const runShape = shape({ event: words, head_repository: orNull(shape({ id: count })) });

/** Reads one artifact. @throws Failure `bad-value` if it lacks a field that we need to trust it, such as the digest */
export function readArtifact(value: unknown): ListedArtifact {
  const { workflow_run: run, ...artifact } = artifactShape(value, '');
  return {
    id: artifact.id,
    name: artifact.name,
    digest: artifact.digest,
    bytes: artifact.size_in_bytes,
    createdAt: artifact.created_at,
    expiresAt: artifact.expires_at,
    expired: artifact.expired,
    runId: run.id,
    repositoryId: run.repository_id,
    headRepositoryId: run.head_repository_id,
    headBranch: run.head_branch,
  };
}

/** Reads one page of the list; skips invalid artifacts. @throws Failure `bad-value` if it is not a list */
export function readArtifactPage(value: unknown): { total: number; artifacts: ListedArtifact[] } {
  const { total_count: total, artifacts } = listShape(value, '');
  const read = artifacts.flatMap((each) => {
    try {
      return [readArtifact(each)];
    } catch {
      return [];
    }
  });
  return { total, artifacts: read };
}

/** Reads what GitHub says about a run. @throws Failure `bad-value` */
export function readRun(value: unknown): ListedRun {
  const run = runShape(value, '');
  return { event: run.event, headRepositoryId: run.head_repository?.id ?? -1 };
}

/** The artifacts that can be trusted judging by the list, newest first; the list itself has no order. */
export function candidates(artifacts: readonly ListedArtifact[], name: string, trust: Trust): ListedArtifact[] {
  const taken = artifacts.filter(
    (artifact) =>
      artifact.name === name &&
      !artifact.expired &&
      artifact.bytes <= longestArchive &&
      artifact.repositoryId === trust.repositoryId &&
      artifact.headRepositoryId === trust.repositoryId &&
      trust.branches.includes(artifact.headBranch),
  );
  const byId = new Map(taken.map((artifact) => [artifact.id, artifact]));
  return [...byId.values()].toSorted((a, b) => b.createdAt - a.createdAt || b.id - a.id);
}

/** Whether an artifact of that run may be read; not if the run no longer exists. */
export function isTrustedRun(run: ListedRun | null, trust: Trust): boolean {
  if (run === null) return false;
  return trustedEvents.includes(run.event) && run.headRepositoryId === trust.repositoryId;
}
