import type { TestEvent } from 'node:test/reporters';

/** How many tests ended how. */
export interface Counts {
  passed: number;
  failed: number;
  cancelled: number;
  skipped: number;
  todo: number;
}

/** A reporter for `node --test` that writes the counts of the whole run as JSON, for programs. */
export default async function* countReporter(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    // Each file has a summary too; the one without a file is that of the run.
    if (event.type !== 'test:summary' || event.data.file !== undefined) continue;
    const { passed, failed, cancelled, skipped, todo } = event.data.counts as unknown as Counts;
    yield JSON.stringify({ passed, failed, cancelled, skipped, todo });
  }
}
