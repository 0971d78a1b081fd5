// The tests by themselves, for scripts/test.ts: `run-tests.ts <result file> <file or pattern>…`. Node's own runner has
// them, three files at once; what came out is written to the result file as JSON.
import { globSync, writeFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';

/** How many tests ended how. */
export interface Counts {
  passed: number;
  failed: number;
  cancelled: number;
  skipped: number;
  todo: number;
}

/** How long a file or a test took. */
export interface Duration {
  name: string;
  seconds: number;
}

/** A test that failed, and the words of its error. */
export interface Failure {
  name: string;
  message: string;
}

/** What came out of a run. */
export interface Result {
  counts: Counts;
  failures: Failure[];
  files: Duration[];
  tests: Duration[];
}

/**
 * What takes minutes comes first: a long file that begins last has one of the three places to itself while the others
 * are empty. `npm test` prints the slowest at its end; this list follows it.
 */
const longestFirst = [
  'interrupted-rollback',
  'rollback',
  'restore-exchange',
  'drill',
  'many-sets',
  'examples',
  'real-databases',
  'silent-rollback',
  'silent-host',
  'blue-green',
  'drill-limits',
  'broken-engine',
  'shapes-files',
  'shapes-depends',
  'shapes-edge',
  'shapes-names',
  'verify-deployment',
  'compose-words',
  'impostors',
];

const { values: options, positionals } = parseArgs({
  args: process.argv.slice(2),
  options: { 'test-name-pattern': { type: 'string', multiple: true } },
  allowPositionals: true,
});
const [resultFile = '', ...patterns] = positionals;
// A name that matches nothing is a typing error, and must not pass for tests that ran.
for (const pattern of patterns) {
  if (globSync(pattern).length === 0) throw new Error(`No test file matches ${pattern}`);
}
const files = inOrder([...new Set(globSync(patterns).map((file) => relative('.', file)))]);
if (files.length === 0) throw new Error('No test file was named');

// Unit tests need no Docker engine.
const needsLab = files.some((file) => !file.startsWith('test/unit/'));
const ending = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => ending.abort());

const result: Omit<Result, 'counts'> = { failures: [], files: [], tests: [] };
const events = run({
  files: files.map((file) => resolve(file)),
  concurrency: 3,
  timeout: 30 * 60_000,
  signal: ending.signal,
  ...(options['test-name-pattern'] === undefined ? {} : { testNamePatterns: options['test-name-pattern'] }),
  ...(needsLab ? { globalSetupPath: resolve('test/lab/setup.ts') } : {}),
});
for (const ended of ['test:pass', 'test:fail'] as const) {
  events.on(ended, ({ name, file, details }) => {
    if (details.type !== 'suite')
      result.tests.push({ name: `${named(file)}: ${name}`, seconds: details.duration_ms / 1000 });
  });
}
events.on('test:fail', ({ name, file, details: { error } }) => {
  const { failureType, cause } = error as Error & { failureType?: string };
  // A test with subtests fails because they do, and they say why.
  if (failureType === 'subtestsFailed') return;
  result.failures.push({
    name: `${named(file)}: ${name}`,
    message: cause instanceof Error ? cause.message : error.message,
  });
});
events.on('test:summary', ({ counts, file, duration_ms }) => {
  if (file !== undefined) {
    result.files.push({ name: named(file), seconds: duration_ms / 1000 });
    return;
  }
  // The one without a file is that of the run.
  const { passed, failed, cancelled, skipped, todo } = counts as unknown as Counts;
  const whole: Result = { counts: { passed, failed, cancelled, skipped, todo }, ...result };
  writeFileSync(resultFile, JSON.stringify(whole));
  if (failed + cancelled > 0) process.exitCode = 1;
});
events.compose(new spec()).pipe(process.stdout);

function inOrder(found: readonly string[]): string[] {
  const place = (file: string) => {
    const index = longestFirst.findIndex((name) => file === `test/e2e/${name}.test.ts`);
    return index < 0 ? longestFirst.length : index;
  };
  return found.toSorted((one, other) => place(one) - place(other) || (one < other ? -1 : 1));
}

function named(file: string | undefined): string {
  return file === undefined ? '' : relative('.', file);
}
