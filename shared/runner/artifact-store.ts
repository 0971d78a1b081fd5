import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makePrivateFolder } from './private-folder.ts';

/** One text in one artifact. */
const fileName = 'history.jsonl';
/** Bytes; what is longer is none of ours. */
const longestText = 1024 * 1024;
/** GitHub's longest for public repositories. */
const longestRetention = 90;

/** Where an artifact is, and what it must be. */
export interface ArtifactSource {
  id: number;
  /** `sha256:<hex>` of the archive. */
  digest: string;
  /** Of another run, by the API; null: of this one. */
  from: { repository: string; token: string } | null;
}

/**
 * The text of an artifact that is what its digest says, and holds one file.
 * @throws Error that says what is wrong with it, and those of the service
 */
export async function downloadText({ id, digest, from }: ArtifactSource): Promise<string> {
  const { DefaultArtifactClient } = await import('@actions/artifact');
  return inFolder(async (path) => {
    const [repositoryOwner = '', repositoryName = ''] = from?.repository.split('/') ?? [];
    const { digestMismatch } = await new DefaultArtifactClient().downloadArtifact(id, {
      path,
      expectedHash: digest,
      ...(from === null ? {} : { findBy: { token: from.token, workflowRunId: 0, repositoryOwner, repositoryName } }),
    });
    if (digestMismatch !== false) throw new Error(`The artifact ${id} is not what its digest says`);
    return onlyFile(path, id);
  });
}

function onlyFile(folder: string, id: number): string {
  const [file, ...others] = readdirSync(folder, { withFileTypes: true });
  if (file === undefined || others.length > 0 || !file.isFile())
    throw new Error(`The artifact ${id} holds something else than one file`);
  const path = join(folder, file.name);
  if (statSync(path).size > longestText) throw new Error(`The artifact ${id} is larger than 1 MiB`);
  return readFileSync(path, 'utf8');
}

/**
 * Stores the text as an artifact of this run.
 * @param merge what to store where this run has stored `other` under this name before: an artifact cannot be changed
 * @returns the artifact's id
 */
export async function uploadText(name: string, text: string, merge: (other: string) => string): Promise<number> {
  try {
    return await upload(name, text);
  } catch (error) {
    if (!isTaken(error)) throw error;
  }
  const { DefaultArtifactClient } = await import('@actions/artifact');
  const client = new DefaultArtifactClient();
  const { artifact } = await client.getArtifact(name);
  const other = await downloadText({ id: artifact.id, digest: artifact.digest ?? '', from: null });
  await client.deleteArtifact(name);
  return upload(name, merge(other));
}

async function upload(name: string, text: string): Promise<number> {
  const { DefaultArtifactClient } = await import('@actions/artifact');
  return inFolder(async (folder) => {
    const file = join(folder, fileName);
    writeFileSync(file, text);
    const allowed = Number(process.env['GITHUB_RETENTION_DAYS']) || longestRetention;
    const { id } = await new DefaultArtifactClient().uploadArtifact(name, [file], folder, {
      retentionDays: Math.min(longestRetention, allowed),
    });
    if (id === undefined) throw new Error('GitHub gave the artifact no number');
    return id;
  });
}

/** The library has no other sign of it. */
function isTaken(error: unknown): boolean {
  return error instanceof Error && /\b409\b/.test(error.message);
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = makePrivateFolder();
  try {
    return await work(folder.path);
  } finally {
    folder.remove();
  }
}
