import { Failure } from '../failure.ts';
import { reasonOf } from '../reaching.ts';
import type { ProxyFor } from './connect.ts';
import { isGood, type Notice } from './notice.ts';
import type { Route } from './post.ts';
import { textOf } from './text.ts';

/** Servers of one's own keep 10 kB of a ping, by default. */
const longestBody = 9_000;

/** Tells a watcher, such as healthchecks.io, that the run has begun. @throws Error with the reason in one line */
export async function pingStart(address: URL, route: Route): Promise<void> {
  await ping(address, '/start', '', route);
}

/** Tells it how the run ended, with the notice as the body. @throws Error with the reason in one line */
export async function pingEnd(address: URL, notice: Notice, route: Route): Promise<void> {
  await ping(address, isGood(notice) ? '' : '/fail', textOf(notice), route);
}

async function ping(address: URL, event: string, text: string, route: Route): Promise<void> {
  const url = new URL(address);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}${event}`;
  const body = Buffer.from(text).subarray(0, longestBody).toString('utf8');
  const { post } = await import('./post.ts');
  const answer = await post({ url, body, headers: { 'content-type': 'text/plain; charset=utf-8' } }, route);
  // healthchecks.io answers 200 also where it has dropped the ping.
  const [, dropped] = /^OK \((not found|rate limited)\)/.exec(answer) ?? [];
  if (dropped !== undefined) throw new Error(`it answers "${dropped}"`);
}

/** Connects to its server, without sending a ping: that would report a run that did not happen. @throws Failure `ping-unreachable` */
export async function reachPing(address: URL, proxyFor: ProxyFor, signal: AbortSignal): Promise<void> {
  try {
    const { reachServer } = await import('./connect.ts');
    await reachServer(address, proxyFor, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw new Failure('ping-unreachable', reasonOf(error), {
      hint: 'Correct "healthcheck-url", and check that the network of the runner allows the connection',
    });
  }
}
