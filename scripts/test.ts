// npm test: builds, lints and runs every test, and ends with `N passed, N failed`. With arguments it runs only the test
// files that they name, and neither builds nor lints; `unit` names all unit tests.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duration, Failure, Result } from './run-tests.ts';

const named = process.argv.slice(2).map((word) => (word === 'unit' ? 'test/unit/**/*.test.ts' : word));
let passed = 0;
let failed = 0;

if (named.length > 0) {
  await runTests(named);
} else if (await check('Build, with the type check', 'scripts/build.ts')) {
  // The end-to-end tests run what users run, so what is built comes first; without it they would only fail in a row.
  await check('Lint', 'scripts/lint.ts');
  await runTests(['test/**/*.test.ts']);
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** Runs one of our programs, which counts as one. */
async function check(title: string, program: string): Promise<boolean> {
  console.log(`\n── ${title}`);
  const good = (await node([program])) === 0;
  if (good) passed += 1;
  else failed += 1;
  if (!good) console.log(`── ${title} failed`);
  return good;
}

async function runTests(patterns: readonly string[]): Promise<void> {
  console.log('\n── Tests');
  const folder = mkdtempSync(join(tmpdir(), 'atlasia-test-'));
  const resultFile = join(folder, 'result.json');
  const exit = await node(['scripts/run-tests.ts', resultFile, ...patterns]);
  const result = readResult(resultFile);
  rmSync(folder, { recursive: true });
  if (result === undefined) {
    failed += 1;
    console.log('── The tests could not be run');
    return;
  }
  const { counts } = result;
  const left = counts.skipped + counts.todo;
  const missed = counts.failed + counts.cancelled + (process.env['CI'] === 'true' ? left : 0);
  passed += counts.passed;
  // The exit has the last word: a set-up that breaks fails no test. No test at all is a failure too.
  failed += missed > 0 ? missed : exit === 0 && counts.passed > 0 ? 0 : 1;
  if (left > 0) console.log(`── ${left} skipped or still to do; in CI they count as failed`);
  printSlowest('files', result.files);
  printSlowest('tests', result.tests);
  printFailures(result.failures);
}

/** Repeats at the end what failed, in short: CI cuts a long log in the middle. */
function printFailures(failures: readonly Failure[]): void {
  if (failures.length > 0) console.log('\n── What failed');
  for (const { name, message } of failures.slice(0, 10)) {
    // Where the message is the log of an action, its end tells what came of it; what is to be masked tells nothing.
    const told = message.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('::add-mask::'));
    const lines = told.length > 15 ? [...told.slice(0, 3), '…', ...told.slice(-12)] : told;
    console.log([name, ...lines.map((line) => `    ${line.slice(0, 200)}`)].join('\n'));
  }
  if (failures.length > 10) console.log(`and ${failures.length - 10} more`);
}

function printSlowest(what: string, durations: readonly Duration[]): void {
  console.log(`\n── The slowest ${what}`);
  const slowest = durations.toSorted((one, other) => other.seconds - one.seconds).slice(0, 10);
  for (const { name, seconds } of slowest) console.log(`${seconds.toFixed(1).padStart(7)} s  ${name}`);
}

/** The exit; 1 also where node was killed. A signal to us is passed on, so that the tests can clear up. */
async function node(nodeArguments: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, nodeArguments, { stdio: 'inherit' });
  const pass = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGINT', pass).on('SIGTERM', pass);
  const [code] = await once(child, 'exit');
  process.off('SIGINT', pass).off('SIGTERM', pass);
  return code ?? 1;
}

function readResult(file: string): Result | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Result;
  } catch {
    return undefined;
  }
}
