import { Agent, get } from 'node:http';

/** What users of an address saw while it was asked. */
export interface Seen {
  asked: number;
  /** Answers by no server or with a status of 500 and more, or none within the patience. */
  failed: number;
  /** Milliseconds from the last answered question before a failure to the next that was answered; 0 where none failed. */
  longestGapMs: number;
  /** What was wrong, by how often. */
  faults: Readonly<Record<string, number>>;
}

/** Questions that are under way. */
interface Prober {
  /** Asks no more, and waits for what is still open. */
  stop(): Promise<Seen>;
}

/** What users of each address saw while something was done. */
export async function seenDuring<T>(
  urls: readonly string[],
  everyMs: number,
  work: () => Promise<T>,
): Promise<[T, Seen[]]> {
  const probers = urls.map((url) => probe(url, everyMs));
  const stop = () => Promise.all(probers.map((prober) => prober.stop()));
  let result: T;
  try {
    result = await work();
  } catch (error) {
    await stop();
    throw error;
  }
  return [result, await stop()];
}

const patienceMs = 10_000;

/**
 * Asks an address at a fixed rate, whether or not earlier questions are answered, each over a connection of its own: one
 * that hangs hides nothing.
 */
function probe(url: string, everyMs: number): Prober {
  const questions: { at: number; fault: string | null }[] = [];
  const open = new Set<Promise<void>>();
  const timer = setInterval(() => {
    const at = performance.now();
    const question = ask(url).then((fault) => {
      questions.push({ at, fault });
      open.delete(question);
    });
    open.add(question);
  }, everyMs);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(open);
      return seenIn(questions.toSorted((one, other) => one.at - other.at));
    },
  };
}

/** Null where it was answered, else what was wrong. */
function ask(url: string): Promise<string | null> {
  return new Promise((resolve) => {
    const request = get(url, { agent: new Agent(), timeout: patienceMs }, (response) => {
      response.resume().on('error', (error) => resolve(error.message));
      response.on('end', () => resolve((response.statusCode ?? 0) < 500 ? null : `status ${response.statusCode}`));
    });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

function seenIn(questions: readonly { at: number; fault: string | null }[]): Seen {
  const faults: Record<string, number> = {};
  let answered: number | undefined;
  let longestGapMs = 0;
  let isGone = false;
  for (const { at, fault } of questions) {
    if (fault !== null) {
      faults[fault] = (faults[fault] ?? 0) + 1;
      isGone = true;
      continue;
    }
    if (isGone && answered !== undefined) longestGapMs = Math.max(longestGapMs, at - answered);
    answered = at;
    isGone = false;
  }
  const last = questions.at(-1);
  if (isGone && answered !== undefined && last !== undefined) longestGapMs = Math.max(longestGapMs, last.at - answered);
  const failed = questions.filter(({ fault }) => fault !== null).length;
  return { asked: questions.length, failed, longestGapMs, faults };
}
