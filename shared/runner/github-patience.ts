import { setTimeout as sleep } from 'node:timers/promises';
import { cleanLine } from '../clean.ts';
import { reasonOf } from '../reaching.ts';
import { Refusals } from './library-words.ts';
import { quietly } from './log.ts';

/** Milliseconds: a rollback must not wait for GitHub. */
const patience = 20_000;

/** Why artifacts cannot be had where GitHub is one's own. */
export const unsupported = 'GitHub Enterprise Server does not support them';

/** Waits for GitHub, at most 20 s. @param failed what to return where it did not do it, and why not */
export async function limited<T>(work: () => Promise<T>, failed: (why: string) => T): Promise<T> {
  const refusals = new Refusals();
  try {
    return await answered(patience, quietly(work, refusals.hear));
  } catch (error) {
    return failed(whyNot(error, refusals.last));
  }
}

/** GitHub did not do it in time. */
class Late extends Error {}

/** Gives up after `ms` milliseconds. The work itself goes on: the libraries cannot be stopped. */
export function answered<T>(ms: number, work: Promise<T>): Promise<T> {
  const late = sleep(ms, null, { ref: false }).then(() => {
    throw new Late(`within ${ms / 1_000} s`);
  });
  return Promise.race([work, late]);
}

/** Why GitHub did not do it, in its own words. @param refusal what it last said to a library that went on asking */
export function whyNot(error: unknown, refusal: string | null = null): string {
  if (error instanceof Late) {
    return refusal === null
      ? `GitHub did not answer ${error.message}`
      : `GitHub did not do it ${error.message}; its last answer: ${refusal}`;
  }
  if (error instanceof Error && error.name === 'GHESNotSupportedError') return unsupported;
  // By its name: the library takes longer to load than all of an action.
  if (!(error instanceof Error && error.name === 'HttpClientError')) return cleanLine(reasonOf(error), 300);
  const { statusCode: status } = error as Error & { statusCode?: number };
  const reason = cleanLine(error.message, 300) || 'nothing';
  const needs = status === 403 || status === 404 ? '. Reading them needs "permissions: actions: read" in the job' : '';
  return `GitHub refused with ${status}; it said: ${reason}${needs}`;
}
