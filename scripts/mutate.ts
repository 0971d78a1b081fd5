// npm run mutate [-- PATH]: takes one rule after the other out of the sources, or only those of a file or folder, and runs the tests
// that must notice. It works on a copy of what lies here, committed or not. Ends with 1 where a rule can be taken out unnoticed.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { type Rule, withoutRule } from './rules/rule.ts';
import { rules } from './rules.ts';

const wanted = relative('.', process.argv[2] ?? '.');
const chosen = rules.filter(({ file }) => wanted === '' || file === wanted || file.startsWith(`${wanted}/`));
if (chosen.length === 0) {
  console.error(`No rule is listed for ${wanted}: see scripts/rules/`);
  process.exit(1);
}

const copy = copyOfSources();
let running: ChildProcess | undefined;
process.once('exit', () => rmSync(copy, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop);

const unchanged = new Map<string, Outcome>();
const results: string[] = [];
for (const rule of chosen) {
  const result = await resultOf(rule);
  console.log(`${result.padEnd(14)}${rule.file}: ${rule.rule}`);
  results.push(result);
}
const count = (result: string) => results.filter((each) => each === result).length;
console.log(`\n${count('noticed')} of ${chosen.length} rules noticed, ${count('SURVIVED')} survived`);
if (count('noticed') < chosen.length) process.exitCode = 1;

/** Ends at once: tests that are ended with us fail, and would pass for ones that have noticed something. */
async function stop(): Promise<void> {
  const child = running;
  if (child?.kill('SIGTERM')) await once(child, 'exit');
  process.exit(1);
}

/** `noticed`, or what is wrong with the rule or its test. */
async function resultOf(rule: Rule): Promise<string> {
  const path = join(copy, rule.file);
  const source = readFileSync(path, 'utf8');
  const changed = withoutRule(source, rule);
  if (changed === null) return 'NOT FOUND';
  const key = JSON.stringify([rule.test, rule.named]);
  const before = unchanged.get(key) ?? (await outcomeOf(rule));
  unchanged.set(key, before);
  // A test that fails anyway notices nothing.
  if (before !== 'passed') return 'FAILS ANYWAY';
  writeFileSync(path, changed);
  try {
    return { passed: 'SURVIVED', failed: 'noticed', 'not built': 'NOT BUILT' }[await outcomeOf(rule)];
  } finally {
    writeFileSync(path, source);
  }
}

type Outcome = 'passed' | 'failed' | 'not built';

/** What becomes of the tests of a rule, with the sources as they are in the copy now. */
async function outcomeOf({ test, named }: Rule): Promise<Outcome> {
  // End-to-end tests run what is built.
  if (!test.startsWith('test/unit/') && !(await succeeds('scripts/build.ts'))) return 'not built';
  const pattern = named === undefined ? [] : [`--test-name-pattern=${named}`];
  return (await succeeds('scripts/test.ts', test, ...pattern)) ? 'passed' : 'failed';
}

async function succeeds(...words: readonly string[]): Promise<boolean> {
  running = spawn(process.execPath, words, { cwd: copy, stdio: 'ignore' });
  const [code] = await once(running, 'exit');
  return code === 0;
}

function copyOfSources(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mutate-'));
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    encoding: 'utf8',
    maxBuffer: 1e8,
  });
  for (const file of listed.split('\0').filter((name) => name !== '' && existsSync(name))) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(file, join(folder, file), { verbatimSymlinks: true });
  }
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'));
  return folder;
}
