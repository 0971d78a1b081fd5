import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GithubApi } from './github-api.ts';
import { makePrivateFolder } from './private-folder.ts';
import { readSingleFileZip, UnusableArchive } from './single-file-zip.ts';

/** The one file in an artifact of the history. */
const historyFile = 'history.jsonl';
/** Limit in bytes, packed and unpacked; anything longer is not ours. */
const longestText = 1024 * 1024;
/** GitHub's maximum for public repositories, in days. */
const longestRetention = 90;

/**
 * Downloads the text of an artifact of any run. Checks the digest, and that the artifact has one file. Fetches and unpacks
 * at most 1 MiB.
 * @param digest `sha256:<hex>` of the archive
 * @throws Error that says what is wrong with the artifact, or one from GitHub
 */
export async function downloadText(api: GithubApi, { id, digest }: { id: number; digest: string }): Promise<string> {
  return textIn(await api.archive(id, longestText), id, digest);
}

/** @param archive null if it is longer than 1 MiB */
async function textIn(archive: Buffer | null, id: number, digest: string): Promise<string> {
  if (archive === null) throw new Error(`The artifact ${id} is larger than ${longestText / 1024 / 1024} MiB`);
  if (`sha256:${createHash('sha256').update(archive).digest('hex')}` !== digest)
    throw new Error(`The artifact ${id} does not match its digest`);
  try {
    return (await readSingleFileZip(archive, longestText)).toString('utf8');
  } catch (error) {
    throw error instanceof UnusableArchive ? new Error(`The artifact ${id} ${error.message}`) : error;
  }
}

/**
 * Stores the text as an artifact of this run.
 * @param merge returns the text to store if this run has already stored `other` under this name: artifacts cannot be changed
 * @returns the artifact's id
 */
export async function uploadText(name: string, text: string, merge: (other: string) => string): Promise<number> {
  try {
    return await upload(name, text);
  } catch (error) {
    if (!isTaken(error)) throw error;
    return await replace(name, merge, error as Error);
  }
}

/** @param taken GitHub's words that the name is taken */
async function replace(name: string, merge: (other: string) => string, taken: Error): Promise<number> {
  const { DefaultArtifactClient } = await import('@actions/artifact');
  const client = new DefaultArtifactClient();
  const found = await client.getArtifact(name).catch((error) => {
    // Then it is not ours to replace, and GitHub meant something else.
    throw error instanceof Error && error.name === 'ArtifactNotFoundError' ? taken : error;
  });
  const other = await ownText(found.artifact);
  await client.deleteArtifact(name);
  return upload(name, merge(other));
}

/** Downloads an artifact of this run. It needs no token, but only the library can do it, and it leaves the archive packed. */
async function ownText({ id, size, digest = '' }: { id: number; size: number; digest?: string }): Promise<string> {
  if (size > longestText) return textIn(null, id, digest);
  const { DefaultArtifactClient } = await import('@actions/artifact');
  return inFolder(async (folder) => {
    await new DefaultArtifactClient().downloadArtifact(id, { path: folder, skipDecompress: true });
    const [file = ''] = readdirSync(folder);
    const path = join(folder, file);
    return textIn(statSync(path).size > longestText ? null : readFileSync(path), id, digest);
  });
}

/** Stores the text as the one file of an artifact of this run. @returns the artifact's id */
export async function upload(name: string, text: string, fileName = historyFile): Promise<number> {
  const { DefaultArtifactClient } = await import('@actions/artifact');
  return inFolder(async (folder) => {
    const file = join(folder, fileName);
    writeFileSync(file, text);
    const allowed = Number(process.env['GITHUB_RETENTION_DAYS']) || longestRetention;
    const { id } = await new DefaultArtifactClient().uploadArtifact(name, [file], folder, {
      retentionDays: Math.min(longestRetention, allowed),
    });
    if (id === undefined) throw new Error('GitHub did not return an id for the artifact');
    return id;
  });
}

/** Whether the name is taken. The library shows this only in the text of its error. */
function isTaken(error: unknown): boolean {
  return error instanceof Error && /\(409\)/.test(error.message);
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = makePrivateFolder();
  try {
    return await work(folder.path);
  } finally {
    folder.remove();
  }
}
