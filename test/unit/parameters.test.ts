// The parameters of a program as they come: shared/host/parameters.sh in a real bash. What does not fit ends it before it begins.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { logging } from '../../shared/backups/publish.ts';
import { connectLocally } from '../../shared/host/local.ts';

const script = join(import.meta.dirname, '../../shared/host/parameters.sh');
const folder = mkdtempSync(join(tmpdir(), 'parameters-'));
const ran = join(folder, 'ran');
after(() => rmSync(folder, { recursive: true }));

const shown = `printf '<%s>' "$text" "$((number + 1))" "$word" "\${list[@]}"`;

/** What a program with one parameter of each kind has of these, or why it does not begin. */
function read(given: readonly string[], program = shown): string {
  const { stdout, stderr } = spawnSync(
    'bash',
    [
      ...['--norc', '-c'],
      `source "$1"; shift; p=("$@") misfit=
      takes text; takes_number number; takes_word word; takes_list list
      read_parameters || { printf 'misfit: %s' "$misfit"; exit; }
      ${program}`,
      'bash',
      script,
      ...given,
    ],
    // What the environment has counts for nothing.
    { encoding: 'utf8', env: { PATH: process.env['PATH'], text: 'of the environment', list: 'too' } },
  );
  assert.equal(stderr, '');
  return stdout;
}

const odd = `$(touch ${ran}) \`id\` "x" ; \\n`;
const fitting = ['text', odd, 'number', '41', 'word', 'zstd', 'list', odd, 'list', ''];

test('what fits arrives as it is', () => {
  assert.equal(read(fitting), `<${odd}><42><zstd><${odd}><>`);
  assert.equal(existsSync(ran), false);
});

test('nothing of it gets into the environment of its children, where others may read it', () => {
  assert.equal(read(fitting, 'printenv text list || true'), '');
});

describe('does not fit:', () => {
  const without = (name: string) => fitting.filter((_, at) => fitting[at - (at % 2)] !== name);
  const withValue = (name: string, value: string) => [...without(name), name, value];
  const table: [what: string, given: string[], why: string][] = [
    ['a number that bash would run', withValue('number', `a[$(touch ${ran})]`), 'number is no number'],
    ['an empty number', withValue('number', ''), 'number is no number'],
    ['a number with a sign', withValue('number', '-1'), 'number is no number'],
    ['a word that is two', withValue('word', 'zstd gzip'), 'word is no word'],
    ['a word with a line break', withValue('word', 'zstd\n'), 'word is no word'],
    ['a missing text', without('text'), 'text is missing'],
    ['a missing number', without('number'), 'number is missing'],
    ['one that was given twice', [...fitting, 'text', 'again'], 'text was given twice'],
    ['one that is unknown', [...fitting, 'PATH', '/evil'], 'PATH is unknown'],
  ];
  for (const [what, given, why] of table) {
    test(what, () => {
      assert.equal(read(given), `misfit: ${why}`);
      assert.equal(existsSync(ran), false, 'it was run');
    });
  }
});

test('a value with a NUL, which would be two, is not sent', () => {
  const log = join(folder, 'log');
  const run = (line: string) =>
    connectLocally().run(logging, { log_file: log, log_line: line }, { deadline: 60_000, atEnd: 'finish' });
  assert.throws(() => run(`a\0log_file\0${ran}`), /Parameter log_line of the program log-run holds NUL/);
  assert.equal(existsSync(log), false);
});
