import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { inTime, reasonOf } from '../reaching.ts';
import { formatDuration } from '../units.ts';
import { openConnection, type ProxyFor } from './connect.ts';
import { loginIn } from './login.ts';

/** A POST to an address that is a secret: no error repeats more of it than the host. */
export interface Post {
  url: URL;
  body: string;
  headers: Readonly<Record<string, string>>;
}

/** How an address is reached. */
export interface Route {
  proxyFor: ProxyFor;
  /** No more is tried after it. */
  signal: AbortSignal;
}

/** Milliseconds for one try, from the connection to the answer. */
const patience = 10_000;
/** Milliseconds before each further try. */
const pauses = [500, 2_000];
/** Milliseconds that a server may take to send the text of its answer. */
const patienceForText = 1_000;
const longestText = 1_000;

/** Milliseconds: a server that asks for more patience than this is not waited for. */
const longestPause = 10_000;

/** The server has answered, and will answer the same again. */
class Refused extends Error {}

/** The server asks to be tried again after so many milliseconds. */
class Busy extends Error {
  readonly pause: number;

  constructor(message: string, pause: number) {
    super(message);
    this.pause = pause;
  }
}

/**
 * Posts, at most three times, and follows no redirect: it may lead to somebody else.
 * @returns the beginning of what the server says
 * @throws Error with the reason of the last try, in one line
 */
export async function post(message: Post, { proxyFor, signal }: Route): Promise<string> {
  for (let failures = 0; ; failures += 1) {
    try {
      return await tryOnce(message, proxyFor, signal);
    } catch (error) {
      const pause = pauses[failures];
      if (signal.aborted || error instanceof Refused || pause === undefined) throw new Error(reasonOf(error));
      const asked = error instanceof Busy ? error.pause : 0;
      await sleep(Math.max(pause, asked), undefined, { signal }).catch(() => {
        throw new Error(reasonOf(error));
      });
    }
  }
}

async function tryOnce(message: Post, proxyFor: ProxyFor, signal: AbortSignal): Promise<string> {
  const end = new AbortController();
  try {
    const { status, text, wait } = await inTime(patience, signal, exchange(message, proxyFor, end.signal));
    if (status >= 200 && status < 300) return text;
    const what = status >= 300 && status < 400 ? ', a redirect, which is not followed' : '';
    const answer = `it answers ${status}${what}`;
    if (wait > longestPause) throw new Refused(`${answer}, and asks to wait for ${formatDuration(wait)}`);
    throw status >= 500 || status === 408 || status === 429 ? new Busy(answer, wait) : new Refused(answer);
  } finally {
    end.abort();
  }
}

async function exchange(
  { url, body, headers }: Post,
  proxyFor: ProxyFor,
  signal: AbortSignal,
): Promise<{ status: number; text: string; wait: number }> {
  const socket = await openConnection(url, proxyFor, signal);
  return new Promise((resolve, reject) => {
    const login = loginIn(url);
    const asked = request({
      // With an agent, even with false, Node would connect anew.
      createConnection: () => socket,
      method: 'POST',
      path: `${url.pathname}${url.search}`,
      headers: {
        host: url.host,
        'user-agent': 'atlasia-actions',
        'content-length': Buffer.byteLength(body),
        connection: 'close',
        ...headers,
      },
      ...(login !== null && { auth: login }),
      signal,
    });
    asked.on('error', reject);
    asked.on('response', (response) => {
      let text = '';
      const { statusCode = 0 } = response;
      const wait = secondsIn(response.headers['retry-after']) * 1_000;
      const done = () => resolve({ status: statusCode, text: text.slice(0, longestText), wait });
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        if (text.length >= longestText) done();
      });
      // The status is what counts: a server that is slow to say more has still taken the message.
      response.on('end', done).on('error', done);
      setTimeout(done, patienceForText).unref();
    });
    asked.end(body);
  });
}

/** Of the header Retry-After; 0 where it is a date, or missing. */
function secondsIn(header = ''): number {
  return /^\d{1,9}(\.\d+)?$/.test(header) ? Number(header) : 0;
}
