// A transaction that cannot be written says why in the host's own words: the disk is called full only where it is.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const script = fileURLToPath(new URL('../../../shared/transaction/start.sh', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'start-'));
const transactions = join(folder, 'rollback', 'transactions');

after(() => rmSync(folder, { recursive: true }));
beforeEach(() => rmSync(join(folder, 'rollback'), { recursive: true, force: true }));

/** What the program says, where these functions stand for commands. */
function start(functions = ''): string {
  const program = `
    set -euo pipefail
    takes() { :; }; takes_number() { :; }; takes_list() { :; }; launch() { :; }; may_launch() { :; }
    record() { printf '%s %s\\n' "$@"; }
    fail() { printf '%s: %s\\n' "$@"; exit 1; }
    . "$1"
    backup_dir=$2 second=0 file_names=(plan.tsv outcome/hold) file_texts=('id @transaction@' held)
    ${functions}
    main`;
  const { stdout } = spawnSync('bash', ['-c', program, 'bash', script, folder], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  });
  return stdout.trim();
}

test('a transaction is written whole', () => {
  assert.equal(start(), 'transaction 19700101_000000');
  assert.deepEqual(readdirSync(transactions), ['19700101_000000']);
  assert.deepEqual(readdirSync(join(transactions, '19700101_000000')).toSorted(), ['outcome', 'plan.tsv']);
});

test('what another run has finished meanwhile is not replaced, and its id is not taken twice', () => {
  const meanwhile = `mkdir() {
    [[ $* != *.partial-19700101_000000 ]] || command mkdir -- "$transactions/19700101_000000"
    command mkdir "$@"
  }`;
  assert.equal(start(meanwhile), 'transaction 19700101_000001');
  assert.deepEqual(readdirSync(transactions).toSorted(), ['19700101_000000', '19700101_000001']);
  assert.deepEqual(readdirSync(join(transactions, '19700101_000000')), []);
});

test('what was half-written an hour ago goes; what a run may still be writing does not', () => {
  for (const [name, minutes] of [
    ['.partial-old', 62],
    ['.partial-new', 50],
  ] as const) {
    mkdirSync(join(transactions, name), { recursive: true });
    const then = Date.now() / 1000 - minutes * 60;
    utimesSync(join(transactions, name), then, then);
  }
  start();
  assert.deepEqual(readdirSync(transactions).toSorted(), ['.partial-new', '19700101_000000']);
});

test('a file in the place of the folder is no full disk', () => {
  mkdirSync(join(folder, 'rollback'));
  writeFileSync(transactions, '');
  assert.match(start(), /^write-failed: mkdir: .*transactions.*: (File exists|Not a directory)$/);
});

test('an engine that the gate does not know is not started, and nothing half-written is left', () => {
  assert.match(start('may_launch() { return 1; }'), /^gate-refused: /);
  assert.deepEqual(readdirSync(transactions), []);
});

for (const [command, reason, code] of [
  ['mkdir', 'No space left on device', 'disk-full'],
  ['mkdir', 'Disk quota exceeded', 'disk-full'],
  ['mkdir', 'Read-only file system', 'write-failed'],
  ['sync', 'Input/output error', 'write-failed'],
  ['mv', 'No space left on device', 'disk-full'],
] as const)
  test(`where ${command} says "${reason}", the failure is ${code}, and nothing half-written is left`, () => {
    assert.equal(
      start(`${command}() { echo '${command}: ${reason}' >&2; return 1; }`),
      `${code}: ${command}: ${reason}`,
    );
    if (command !== 'mkdir') assert.deepEqual(readdirSync(transactions), []);
  });

test('behind a gate, an engine is started only if one of its lists has it', () => {
  const launcher = fileURLToPath(new URL('../../../shared/transaction/launch.sh', import.meta.url));
  const list = join(folder, 'list');
  const sum = spawnSync('sha256sum', [script], { encoding: 'utf8' }).stdout.slice(0, 64);
  const may = (lists: string | undefined) =>
    spawnSync(
      'bash',
      ['--norc', '-c', '. "$1"; cp -- "$2" "$3/engine.sh"; may_launch "$3"', 'bash', launcher, script, folder],
      {
        env: { PATH: process.env['PATH'], ...(lists !== undefined && { ATLASIA_GATE: lists }) },
      },
    ).status === 0;
  assert.equal(may(undefined), true);
  for (const [line, is] of [
    [`${sum} engine engine backup`, true],
    [`${sum} program start rollback`, false],
    [`${'0'.repeat(64)} engine engine backup`, false],
    ['', false],
  ] as const) {
    writeFileSync(list, `${line}\n`);
    assert.equal(may(list), is, line);
    assert.equal(may(`${join(folder, 'none')}\n${list}`), is, line);
  }
});
