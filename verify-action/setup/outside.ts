import type { Findings } from '../../shared/drill/finding.ts';
import { type Failure, isFailure } from '../../shared/failure.ts';
import { reachMailServer } from '../../shared/notify/mail.ts';
import { reachPing } from '../../shared/notify/ping.ts';
import { reachWebhook } from '../../shared/notify/webhook.ts';
import { reachBucket } from '../../shared/offsite/bucket.ts';
import { proxyFor } from '../../shared/runner/proxy.ts';
import type { VerifyInputs } from '../inputs.ts';
import type { Reached } from './setup-facts.ts';

/** Tries all configured connections at once. Sends nothing. */
export async function reachOutside(
  { bucket, pingUrl, mailServer, webhook }: Pick<VerifyInputs, 'bucket' | 'pingUrl' | 'mailServer' | 'webhook'>,
  signal: AbortSignal,
): Promise<Reached> {
  const tries = [
    ...(bucket === null ? [] : [tried('bucket', reachBucket(bucket, signal))]),
    ...(pingUrl === null ? [] : [tried('ping', reachPing(pingUrl, proxyFor, signal))]),
    ...(mailServer === null ? [] : [tried('mail', reachMailServer(mailServer, signal))]),
    ...(webhook === null ? [] : [tried('webhook', reachWebhook(webhook, proxyFor, signal))]),
  ];
  return Object.fromEntries(await Promise.all(tries));
}

async function tried(name: keyof Reached, reaching: Promise<void>): Promise<[keyof Reached, Failure | null]> {
  try {
    await reaching;
    return [name, null];
  } catch (error) {
    if (isFailure(error)) return [name, error];
    throw error;
  }
}

/** Checks the settings for off-site copies and notifications. */
export function judgeOutside(findings: Findings, reached: Reached, inputs: VerifyInputs): void {
  const { bucket, mailServer } = inputs;
  const successes = {
    bucket: `"${bucket?.bucket}" answers and can be listed; writing to it was not tried`,
    ping: `${inputs.pingUrl?.host} answers`,
    mail: `${mailServer?.host}:${mailServer?.port} ${mailServer?.login === null ? 'answers' : 'accepts the login'}`,
    webhook: `${inputs.webhook?.url.host} answers`,
  };
  for (const [name, failure] of Object.entries(reached) as [keyof Reached, Failure | null][]) {
    findings.check(name, () => {
      if (failure !== null) throw failure;
      return successes[name];
    });
  }
}
