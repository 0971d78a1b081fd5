import { createHmac, randomUUID } from 'node:crypto';
import { Failure } from '../failure.ts';
import { reasonOf } from '../reaching.ts';
import type { ProxyFor } from './connect.ts';
import { webhookDocument } from './documents.ts';
import type { Notice } from './notice.ts';
import type { Route } from './post.ts';

/** An address that takes notices as JSON. Both are secrets. */
export interface Webhook {
  url: URL;
  /** The key of the signature; null: none. */
  secret: string | null;
}

/** Posts the notice. A further try has the same delivery id. @throws Error with the reason in one line */
export async function callWebhook({ url, secret }: Webhook, notice: Notice, route: Route): Promise<void> {
  const body = webhookDocument(notice);
  const headers = {
    'content-type': 'application/json',
    'x-atlasia-delivery': randomUUID(),
    ...(secret !== null && { 'x-atlasia-signature-256': signatureOf(body, secret) }),
  };
  const { post } = await import('./post.ts');
  await post({ url, body, headers }, route);
}

/** As GitHub signs its webhooks: `sha256=` and the HMAC of the body's bytes. */
function signatureOf(body: string, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
}

/** Connects to its server, without sending anything. @throws Failure `webhook-unreachable` */
export async function reachWebhook({ url }: Webhook, proxyFor: ProxyFor, signal: AbortSignal): Promise<void> {
  try {
    const { reachServer } = await import('./connect.ts');
    await reachServer(url, proxyFor, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw new Failure('webhook-unreachable', reasonOf(error), {
      hint: 'Correct "webhook-url", and check that the network of the runner allows the connection',
    });
  }
}
