// The identity of a backup folder, as the host makes it and tells it: in a real bash, and by the program itself.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { isFailure } from '../../../shared/failure.ts';
import { connectLocally } from '../../../shared/host/local.ts';
import { Records } from '../../../shared/host/records.ts';
import { holdOffsite } from '../../../shared/offsite/hold-offsite.ts';
import { demandFolderIds, demandSets, readSets } from '../../../shared/survey/survey-sets.ts';
import { hostBash } from '../sets/host-bash.ts';

const scripts = ['survey/folder-id.sh', 'offsite/hold-offsite.sh'];
let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hold-offsite-'));
  file = join(folder, '.folder-id');
});
afterEach(() => rmSync(folder, { recursive: true }));

const main = (before = '') => hostBash(folder, scripts, `${before}\nbackup_dir=$PWD; main`);
const told = (lines: readonly string[]) => lines.map((line) => line.replace(/^folder-ids=/, ''));

/** Takes the lock and lets it go again. */
async function hold(): Promise<readonly string[]> {
  const host = connectLocally();
  const { folderIds, release } = await holdOffsite(host, {
    ...{ backupDir: folder, wait: 10_000, holder: 'a test', longest: 60_000 },
    ...{ signal: AbortSignal.timeout(20_000), onLog: () => {}, onWait: () => {} },
  });
  assert.equal(await release(), true);
  await host.close();
  return folderIds;
}

test('a folder gets an id, once, that its owner alone can read', async () => {
  const [id = '', ...more] = await hold();
  assert.deepEqual(more, []);
  assert.match(id, /^[0-9a-f]{32}$/);
  assert.equal(readFileSync(file, 'utf8'), `${id}\n`);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const before = statSync(file).mtimeMs;
  assert.deepEqual(await hold(), [id]);
  assert.equal(statSync(file).mtimeMs, before);
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('.folder-id')),
    ['.folder-id'],
  );
});

test('two folders get two', () => {
  const [first] = main();
  rmSync(file);
  assert.notDeepEqual(main(), [first]);
});

for (const [what, slow] of [
  ['as they come', ''],
  // All have found none, and made theirs, before the first is put in its place; none removes those of the others.
  [
    'none of which has seen another',
    'sync() { if [[ $2 == .folder-id.new-* ]]; then echo ready; read -r _; fi; }; rm() { :; }',
  ],
] as const)
  test(`of ten that make an id at the same time without a lock, ${what}, all use the same`, async () => {
    const shared = join(import.meta.dirname, '../../../shared');
    const code = `set -euo pipefail
      takes() { :; }; record() { printf '%s\\n' "$2"; }; fail() { printf 'fail %s\\n' "$1"; exit 1; }
      . "$1/survey/folder-id.sh"; . "$1/offsite/hold-offsite.sh"
      ${slow}
      read -r _; backup_dir=$2 main`;
    const racers = Array.from({ length: 10 }, () =>
      spawn('bash', ['--norc', '-c', code, 'bash', shared, folder], { stdio: ['pipe', 'pipe', 'ignore'] }),
    );
    const answers = racers.map(({ stdout }) => text(stdout));
    const ready = racers.map(({ stdout }) => once(stdout, 'data'));
    for (const { stdin } of racers) stdin.write('go\n');
    if (slow !== '') await Promise.all(ready);
    for (const { stdin } of racers) stdin.end('go\n');
    const ids = new Set((await Promise.all(answers)).map((answer) => answer.replace('ready\n', '')));
    assert.deepEqual([...ids], [readFileSync(file, 'utf8')]);
    if (slow === '') assert.deepEqual(readdirSync(folder), ['.folder-id']);
  });

test('a run that is cut off leaves no half an id, and the next one makes it', () => {
  // As if the machine stopped while the id is written.
  const cut = 'sync() { kill -KILL $BASHPID; }';
  assert.deepEqual(main(cut), ['exit null']);
  assert.ok(!readdirSync(folder).includes('.folder-id'));
  assert.match(told(main())[0] ?? '', /^[0-9a-f]{32}$/);
  assert.deepEqual(readdirSync(folder), ['.folder-id']);
});

test('an id is on the disk before it is one', () => {
  const lines = main(`sync() { echo "sync $(ls -A)"; command sync "$@"; }`);
  assert.match(lines[0] ?? '', /^sync \.folder-id\.new-\w+$/);
});

test('where none can be written, none is told', () => {
  assert.deepEqual(main('ln() { return 1; }'), ['fail write-failed', 'exit 1']);
});

describe('a damaged id', () => {
  const id = '0123456789abcdef0123456789abcdef';
  const damages: [what: string, damage: () => void][] = [
    ['empty', () => writeFileSync(file, '')],
    ['cut', () => writeFileSync(file, `${id.slice(1)}\n`)],
    ['too long', () => writeFileSync(file, `${id}0\n`)],
    ['in capitals', () => writeFileSync(file, `${id.toUpperCase()}\n`)],
    ['with something else below it', () => writeFileSync(file, `${id}\n# of the old host\n`)],
    ['with a byte that is no text', () => writeFileSync(file, `${id}\0\n`)],
    ['a folder', () => mkdirSync(file)],
    [
      'a link to one',
      () => {
        writeFileSync(join(folder, 'other'), `${id}\n`);
        symlinkSync('other', file);
      },
    ],
    ['a link that leads nowhere', () => symlinkSync('/nowhere', file)],
  ];
  for (const [what, damage] of damages)
    test(`${what} is refused with its path and the way out, and is left as it is`, async () => {
      damage();
      const before = lstatSync(file).ino;
      assert.deepEqual(main(), ['fail folder-id-damaged', 'exit 1']);
      await assert.rejects(hold(), (error) => {
        assert.ok(isFailure(error, 'folder-id-damaged'), String(error));
        assert.ok(error.message.startsWith(`${file} `));
        assert.match(
          error.hint ?? '',
          /^No copy was made or deleted\. .*write it into that file.*: rm \S*\.folder-id$/,
        );
        return true;
      });
      assert.equal(lstatSync(file).ino, before);
    });

  test('of a file that cannot be read', () => {
    writeFileSync(file, `${id}\n`);
    assert.deepEqual(main('head() { return 1; }'), ['fail folder-id-damaged', 'exit 1']);
  });
});

test('below its own id, a folder has those of folders whose copies it has taken over', async () => {
  const [own = ''] = await hold();
  const old = ['1'.repeat(32), '2'.repeat(32)];
  writeFileSync(file, `${[own, ...old].join('\n')}\n`);
  assert.deepEqual(await hold(), [own, ...old]);
});

test('what the survey says of the ids is what they are', async () => {
  const seen = () => {
    const scripts = ['survey/folder-id.sh', 'survey/sets.sh', 'survey/survey-sets.sh'];
    const lines = hostBash(folder, scripts, 'layout=(); record() { printf "%s=%s|" "$@"; }; survey_sets "$PWD"');
    const records = lines
      .join('\n')
      .split('|')
      .map((each) => each.split('=') as [string, string]);
    const sets = readSets(new Records(records.filter(([, value]) => value !== undefined)));
    return demandFolderIds(demandSets(sets), folder);
  };
  assert.deepEqual(seen(), []);
  const ids = [...(await hold()), '1'.repeat(32)];
  writeFileSync(file, `${ids.join('\n')}\n`);
  assert.deepEqual(seen(), ids);
  writeFileSync(file, 'x');
  assert.throws(seen, (error) => isFailure(error, 'folder-id-damaged'));
});
