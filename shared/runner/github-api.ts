import { HttpClient, HttpClientError } from '@actions/http-client';
import { type ListedArtifact, type ListedRun, readArtifact, readArtifactPage, readRun } from './provenance.ts';

/** Our requests to GitHub; they need `actions: read`. Each may reject with an error that has a `statusCode`. */
export interface GithubApi {
  /** All artifacts of this name in the repository, in no order. @param most limit of pages, with a hundred artifacts each */
  artifacts(name: string, most: number): Promise<ListedArtifact[]>;
  artifact(id: number): Promise<ListedArtifact>;
  /** null if it no longer exists. */
  run(id: number): Promise<ListedRun | null>;
  /** The archive of an artifact; null if it has more than `limit` bytes. Fetches no more than that. */
  archive(id: number, limit: number): Promise<Buffer | null>;
}

const perPage = 100;

/** @param repository `owner/name` */
export function githubApi(repository: string, token: string): GithubApi {
  const client = new HttpClient('atlasia-actions', [], { allowRetries: true, maxRetries: 2 });
  const unredirected = new HttpClient('atlasia-actions', [], {
    allowRetries: true,
    maxRetries: 2,
    allowRedirects: false,
  });
  const base = `${process.env['GITHUB_API_URL'] ?? 'https://api.github.com'}/repos/${repository}/actions`;
  const headers = {
    authorization: `Bearer ${token}`,
    accept: 'application/vnd.github+json',
    'x-github-api-version': '2022-11-28',
  };
  const ask = async (path: string) => {
    const { statusCode, result } = await client.getJson<unknown>(`${base}/${path}`, headers);
    if (statusCode === 404) throw new HttpClientError('GitHub did not find it', statusCode);
    return result;
  };
  const page = async (name: string, number: number) =>
    readArtifactPage(await ask(`artifacts?name=${encodeURIComponent(name)}&per_page=${perPage}&page=${number}`));
  return {
    async artifacts(name, most) {
      const first = await page(name, 1);
      const pages = Math.min(most, Math.ceil(first.total / perPage));
      const others = Array.from({ length: Math.max(0, pages - 1) }, (_, index) => page(name, index + 2));
      return [first, ...(await Promise.all(others))].flatMap(({ artifacts }) => artifacts);
    },
    artifact: async (id) => readArtifact(await ask(`artifacts/${id}`)),
    async run(id) {
      const answer = await ask(`runs/${id}`).catch((error) => {
        if (error instanceof HttpClientError && error.statusCode === 404) return null;
        throw error;
      });
      return answer === null ? null : readRun(answer);
    },
    async archive(id, limit) {
      const { message } = await unredirected.get(`${base}/artifacts/${id}/zip`, headers);
      message.resume();
      const { statusCode = 0, headers: answered } = message;
      if (statusCode !== 302 || answered.location === undefined)
        throw new HttpClientError(`The artifact ${id} cannot be fetched: HTTP ${statusCode}`, statusCode);
      // The address itself grants access. It is not GitHub's, so do not send it the token.
      return fetchAtMost(client, answered.location, limit, `The artifact ${id}`);
    },
  };
}

async function fetchAtMost(client: HttpClient, url: string, limit: number, what: string): Promise<Buffer | null> {
  const { message } = await client.get(url);
  if (message.statusCode !== 200) {
    message.resume();
    throw new Error(`${what} cannot be fetched: HTTP ${message.statusCode}`);
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message) {
    size += chunk.length;
    if (size > limit) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
