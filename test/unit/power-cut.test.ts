// A host that loses its power, or whose processes are killed, at any moment. The programs run for real, in a folder of their own;
// the commands by which they change it are recorded first, and may be the last thing that happens.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
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
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { isFailure } from '../../shared/failure.ts';
import { appendHistory } from '../../shared/history/host-file.ts';
import { connectLocally } from '../../shared/host/local.ts';
import { layoutLines } from '../../shared/sets/layout.ts';
import { record } from './history/records.ts';
import { contents, id, layOut, old, publishSet } from './published-set.ts';

const shared = join(import.meta.dirname, '../../shared');

/**
 * Notes its own name and the paths that it got, files to flush with their size, before it does what it is called. Where `STOP_AT` is
 * the number of that note, it does so with the first of several files alone, and nothing of the program lives on. The flush whose
 * number is `BAD_FLUSH` fails, as on a disk that does.
 */
const recorder = `#!/bin/bash
note=\${0##*/}
for word in "$@"; do
  case $word in
    -*) continue ;;
    /*) ;;
    .) word=$PWD ;;
    *) word=$PWD/$word ;;
  esac
  [[ $note != sync* || ! -f $word ]] || word+=:$(stat --format %s -- "$word")
  note+=" $word"
done
printf '%s\\n' "$note" >>"\${0%/*}/notes"
PATH=\${PATH#*:}
if [[ $note == sync* ]] && (($(grep -c ^sync "\${0%/*}/notes") == \${BAD_FLUSH-0})); then
  echo 'sync: error syncing: Input/output error' >&2
  exit 1
fi
if (($(wc -l <"\${0%/*}/notes") == \${STOP_AT-0})); then
  case \${0##*/}-$# in
    rm-[4-9]) rm "$1" "$2" "$3" ;;
    ln-[4-9]) ln -- "$2" "\${@: -1}" ;;
  esac
  kill -KILL 0
fi
exec "\${0##*/}" "$@"
`;

let root = '';
let folder = '';
const usualPath = process.env['PATH'];

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'power-'));
  folder = join(root, 'host');
  mkdirSync(folder);
  mkdirSync(join(root, 'bin'));
  writeFileSync(join(root, 'bin', 'recorder'), recorder);
  chmodSync(join(root, 'bin', 'recorder'), 0o700);
  for (const name of ['sync', 'ln', 'mv', 'rm', 'rmdir']) symlinkSync('recorder', join(root, 'bin', name));
  process.env['PATH'] = `${join(root, 'bin')}:${usualPath}`;
});
afterEach(() => {
  process.env['PATH'] = usualPath;
  delete process.env['STOP_AT'];
  delete process.env['BAD_FLUSH'];
  rmSync(root, { recursive: true });
});

/** What was done, a line each: the command, and paths in the folder. */
function notes(): string[] {
  const file = join(root, 'bin', 'notes');
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.map((line) =>
    line
      .split(' ')
      .map((word) => (word.startsWith('/') ? relative(folder, word) : word))
      .join(' '),
  );
}

/** A file as `sync` found it, if that was all of it. */
const whole = (path: string) => `${path}:${statSync(join(folder, path)).size}`;

/** Calls functions of scripts, in the folder. */
function bash(scripts: readonly string[], code: string): string {
  const { stdout, stderr, status } = spawnSync(
    'bash',
    [
      ...['--norc', '-c'],
      `set -uo pipefail; takes() { :; }; takes_list() { :; }; takes_number() { :; }; takes_word() { :; }
      record() { :; }; fail() { echo "$*" >&2; exit 1; }
      for script; do source "$script"; done
      ${code}`,
      'bash',
      ...scripts.map((name) => join(shared, name)),
    ],
    { cwd: folder, encoding: 'utf8' },
  );
  assert.equal(stderr, '');
  assert.equal(status, 0, stdout);
  return stdout;
}

describe('a publication', () => {
  /** The notes as a story: those of the files of a set count once, and the whole set is one. */
  function story(): string[] {
    const files = Object.keys(contents).map((ending) => `daily/.partial-${id}/backup_${id}.${ending}`);
    const told = notes().map((note) => {
      const [command, ...paths] = note.split(' ');
      const last = paths.at(-1) ?? '';
      if (command === 'ln' && !last.includes('/.partial-'))
        return `link ${paths[0]?.endsWith('.manifest.json') ? 'the manifest' : 'a file'} into ${last}`;
      if (command === 'ln') return `link ${paths.length - 1} files into ${last}`;
      if (command === 'sync' && last === `daily/.partial-${id}`) {
        const missing = files.filter((file) => !paths.some((path) => path.split(':')[0] === file));
        return `flush all but ${missing.length} files`;
      }
      return command === 'sync' ? `flush ${paths.map((path) => path.split(':')[0])}` : `${command} ${paths.join(' ')}`;
    });
    return told.filter((line, index) => line !== told[index - 1]);
  }

  test('has everything on the disk before what depends on it', async () => {
    layOut(folder);
    assert.deepEqual(await publishSet(folder), { entered: ['weekly', 'predeployment'], dropped: 1, problems: [] });
    const done = story();
    assert.deepEqual(done.slice(0, done.indexOf('link a file into weekly')), [
      'flush all but 0 files',
      'link a file into daily',
      'flush daily',
      'link the manifest into daily',
      'flush daily',
      `rm daily/.partial-${id}`,
    ]);
    assert.deepEqual(
      done.slice(done.indexOf('link a file into weekly'), done.indexOf('flush rollback/history.jsonl')),
      [
        'link a file into weekly',
        'flush weekly',
        'link the manifest into weekly',
        'flush weekly',
        `rmdir weekly/.partial-${id}`,
        `link 4 files into predeployment/.partial-${id}`,
        `flush predeployment/.partial-${id}`,
        `mv predeployment/.partial-${id} predeployment/${id}`,
        'flush predeployment',
        `rm ${Object.keys(contents)
          .toSorted()
          .map((ending) => `daily/backup_${old}.${ending}`)
          .join(' ')}`,
        `rm daily/.partial-${old}.delete`,
      ],
    );
  });

  /** The files of a set in a tier: what they hold, by what is behind its name. */
  function setIn(place: string, of: string): Record<string, string> {
    const names = existsSync(join(folder, place)) ? readdirSync(join(folder, place)) : [];
    const own = names.filter((name) => name.startsWith(`backup_${of}.`));
    return Object.fromEntries(
      own.map((name) => [name.slice(`backup_${of}.`.length), readFileSync(join(folder, place, name), 'utf8')]),
    );
  }

  for (const [flush, left] of [
    ['files', []],
    ['links of the files', Object.keys(contents).filter((ending) => ending !== 'manifest.json')],
    ['link of the manifest', Object.keys(contents)],
  ] as const) {
    test(`is not called one where the ${flush} cannot be flushed`, async () => {
      process.env['BAD_FLUSH'] = String(['files', 'links of the files', 'link of the manifest'].indexOf(flush) + 1);
      layOut(folder);
      await assert.rejects(publishSet(folder));
      assert.deepEqual(Object.keys(setIn('daily', id)).toSorted(), left.toSorted());
      assert.deepEqual(setIn('daily', old), contents, 'and nothing is deleted');
      assert.equal(existsSync(join(folder, 'rollback/history.jsonl')), false);
    });
  }

  for (const [flush, problem] of [
    ['links in the next tier', 'The set could not be put into weekly'],
    ['link of its manifest there', 'The set could not be put into weekly'],
    ['folder that a set gets in another tier', 'The set could not be put into predeployment'],
    ['name of that folder', 'The set could not be put into predeployment'],
    ['history', 'The history could not be written'],
  ] as const) {
    test(`tells of a problem where the ${flush} cannot be flushed`, async () => {
      const flushes = [
        'links in the next tier',
        'link of its manifest there',
        'folder that a set gets in another tier',
      ];
      const at = [...flushes, 'name of that folder', 'history'].indexOf(flush);
      process.env['BAD_FLUSH'] = String(4 + at);
      layOut(folder);
      const { problems, dropped } = await publishSet(folder);
      assert.match(problems[0] ?? '', new RegExp(`^${problem}: .*Input/output error`));
      assert.deepEqual(setIn('daily', id), contents);
      if (flush !== 'history')
        assert.deepEqual([dropped, setIn('daily', old)], [0, contents], 'and nothing is deleted');
    });
  }

  test('may be stopped before and within each of its steps: what the next run finds is whole, or is not there', async () => {
    let stops = 0;
    for (let at = 1; ; at += 1) {
      rmSync(folder, { recursive: true });
      mkdirSync(folder);
      rmSync(join(root, 'bin', 'notes'), { force: true });
      process.env['STOP_AT'] = String(at);
      layOut(folder);
      const outcome = await publishSet(folder).catch((error) => error);
      delete process.env['STOP_AT'];
      const last = notes().at(-1) ?? '';
      if (notes().length < at) {
        assert.deepEqual(outcome.problems, []);
        break;
      }
      stops += 1;
      assert.ok(isFailure(outcome, 'publication-unknown'), `${outcome}`);
      bash(
        ['survey/sets.sh', 'sets/folders.sh'],
        `layout=(${layoutLines.map((line) => `'${line}'`).join(' ')}); sweep .`,
      );
      for (const place of ['daily', 'weekly', `predeployment/${id}`]) {
        for (const set of [id, old]) {
          const found = setIn(place, set);
          if (Object.keys(found).length > 0) assert.deepEqual(found, contents, `${set} in ${place}, at: ${last}`);
        }
      }
      assert.deepEqual(setIn('weekly', old), contents);
      const markers = readdirSync(folder, { recursive: true }).filter((path) => String(path).includes('.partial-'));
      assert.deepEqual(markers, [], `at: ${last}`);
    }
    assert.ok(stops > 20, `only ${stops} steps were found`);
  });
});

test('a set with a folder of its own leaves its tier in one step, before any of its files goes', () => {
  const place = `predeployment/${id}`;
  mkdirSync(join(folder, place), { recursive: true });
  writeFileSync(join(folder, place, `backup_${id}.dump`), '');
  bash(
    ['survey/sets.sh', 'sets/folders.sh'],
    `layout=(${layoutLines.map((line) => `'${line}'`).join(' ')}); drop predeployment ${id}`,
  );
  const marker = `predeployment/.partial-${id}.delete`;
  assert.deepEqual(notes(), [`mv ${place} ${marker}`, 'rm', `rm ${marker}`]);
  assert.deepEqual(readdirSync(join(folder, 'predeployment')), []);
});

test('a record of the history is on the disk in both files when the run goes on', async () => {
  for (const each of [record(), record()]) {
    await appendHistory(connectLocally(), { backupDir: folder, records: [each], onLog: () => {} });
    assert.deepEqual(notes().slice(-2), [
      `sync ${whole('rollback/history.jsonl')}`,
      `sync ${whole('rollback/deployment_tags.log')}`,
    ]);
  }
});

test('HOLD is on the disk before it gets its name, and so is its name before anybody relies on it', () => {
  bash(['history/history.sh'], 'put_hold rollback "reason=x"');
  assert.deepEqual(notes(), [`sync rollback/HOLD.new:9`, 'mv rollback/HOLD.new rollback/HOLD', 'sync rollback']);
});

test('a step of a transaction is on the disk before the next one begins', () => {
  for (const step of ['begin', 'checked', 'stopping']) {
    bash(['transaction/journal.sh'], `journal ${step} web`);
    assert.equal(notes().at(-1), `sync ${whole('journal')}`);
  }
  assert.equal(notes().length, 3);
});

test('a step that cannot be flushed is not gone by', () => {
  assert.equal(bash(['transaction/journal.sh'], 'sync() { return 5; }; journal stopping web || echo stays'), 'stays\n');
});

describe('a transaction', () => {
  test('is on the disk before it gets its name, by which it is found', () => {
    bash(
      ['transaction/start.sh'],
      `launch() { :; }; may_launch() { :; }
      backup_dir=$PWD second=0 file_names=(plan.tsv engine.sh outcome/hold) file_texts=(plan engine held)
      main`,
    );
    const staging = 'rollback/transactions/.partial-19700101_000000';
    const made = 'rollback/transactions/19700101_000000';
    const size = (name: string) => statSync(join(folder, made, name)).size;
    const files = ['engine.sh', 'plan.tsv', 'outcome/hold'].map((name) => `${staging}/${name}:${size(name)}`);
    const [flushed = '', ...rest] = notes();
    assert.deepEqual(flushed.split(' ').toSorted(), ['sync', staging, `${staging}/outcome`, ...files].toSorted());
    assert.deepEqual(rest, [`mv ${staging} ${made}`, 'sync rollback/transactions']);
  });

  test('has what it noted of containers, networks and addresses on the disk before it goes by that', () => {
    bash(
      [...['journal', 'containers', 'before-swap', 'edges'].map((name) => `transaction/${name}.sh`)],
      `declare -A plan=([project]=shop [id]=1) strategy=([web]=recreate)
      folder=$PWD/1 services=(web) proxies=()
      project_containers() { echo 0123; }
      left_behind() { :; }
      published_ports() { :; }
      proxy_in() { echo apache2; }
      docker() { printf 'web\\t0123\\t/web\\trunning\\t-\\timage\\tno:0\\n'; }
      note_containers && note_networks && note_targets && note_addresses`,
    );
    const settled = (name: string, from = `${name}.new`) => [
      `sync ${from}:${statSync(join(folder, `${name}.tsv`)).size}`,
      `mv ${from} ${name}.tsv`,
      'sync ',
    ];
    assert.deepEqual(
      notes().filter((note) => !note.startsWith('rm ')),
      [
        ...['before', 'networks', 'after', 'neighbours'].flatMap((name) => settled(name)),
        ...settled('addresses', 'addresses.sorted'),
      ],
    );
  });
});

test('the settings of a release are on the disk before they are found by their name', () => {
  writeFileSync(join(folder, 'docker-compose.yml'), 'services: {}\n');
  bash(
    ['releases/keep-compose.sh'],
    'backup_dir=$PWD id=ab config={} files=("$PWD/docker-compose.yml") env_files=(); main',
  );
  const staging = 'rollback/compose/.partial-ab';
  assert.deepEqual(notes().slice(1), [
    `sync ${staging}/config.json:2 ${staging}/files.txt:${join(folder, 'docker-compose.yml').length + 1} ${staging}/files/1-docker-compose.yml:13`,
    `mv ${staging} rollback/compose/ab`,
  ]);
});

test('a dump that cannot be flushed is not read back', () => {
  const said = bash(
    ['backups/take.sh'],
    `set -e
    fail() { printf '%s' "$*"; exit 0; }
    sync() { return 5; }
    dump=x.dump backup_dir=/backups
    printf x >x.dump
    read_back &
    tell_read_back "$!"`,
  );
  assert.equal(said, 'checksum-failed The dump could not be read again from the disk of /backups (exit 5)');
});

test('the sums of a dump are those of the file on the disk, whatever was streamed', () => {
  const said = bash(
    ['backups/take.sh'],
    `set -e
    record() { printf '%s %s\\n' "$@"; }
    dump=x.dump backup_dir=/backups encryption=none format=plain compression=none where=container
    printf x >x.dump
    echo 'streamed *stdin' >stream.sha256
    : >parsed
    read_back &
    tell_read_back "$!"`,
  );
  const sum = (name: string) => createHash(name).update('x').digest('hex');
  const told = said.split('\n').filter((line) => /^(stream-)?(sha256|md5|size|magic) /.test(line));
  assert.deepEqual(told, [
    'size 1',
    'magic  78',
    `sha256 ${sum('sha256')}`,
    `md5 ${sum('md5')}`,
    'stream-sha256 streamed',
  ]);
});

test('a dump is read back from the disk: nothing of it is in memory any more', () => {
  // A folder for temporary files may be in memory, and nothing else.
  const onDisk = mkdtempSync('/var/tmp/power-');
  try {
    writeFileSync(join(onDisk, 'x.dump'), Buffer.alloc(3_000_000, 'x'));
    const said = bash(
      ['backups/take.sh'],
      `cd ${onDisk}
      dump=x.dump encryption=none format=plain compression=none where=container
      # The kernel may flush it by itself just then, so the result alone would not tell.
      sync() { echo "flushed $*" >&2; command sync "$@"; }
      # The first to read from it.
      head() { fincore --bytes --noheadings --output RES,SIZE -- x.dump >&2; command head "$@"; }
      : >stream.sha256
      exec 2>said
      read_back
      cat said`,
    );
    assert.equal(said.trim().replace(/\s+/g, ' '), 'flushed -- x.dump 0 3000000');
  } finally {
    rmSync(onDisk, { recursive: true });
  }
});
