// What is seen of volumes over files of an image: the program's own script in a real bash, with a Docker that has folders for the
// file systems of containers.
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { hostBash } from '../sets/host-bash.ts';

const folder = mkdtempSync(join(tmpdir(), 'compare-volumes-'));
after(() => rmSync(folder, { recursive: true }));

/** A container is a folder, and so is an image; a new container is one of its image's. */
writeFileSync(
  join(folder, 'docker'),
  `#!/bin/bash
cd ${folder} || exit
case $1 in
  ps) ls -d atlasia-volumes-secret-* 2>/dev/null || true ;;
  create) [[ -d \${*: -2:1} ]] && cp -a "\${*: -2:1}" "$3" ;;
  rm) shift 3 && rm -r "$@" ;;
  cp) [[ ! -e down ]] && tar -C "\${2%%:*}" -c ".\${2#*:}" ;;
esac
`,
);
chmodSync(join(folder, 'docker'), 0o755);

function put(path: string, files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, path, name);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, text);
    for (const each of [file, join(file, '..'), join(folder, path)]) utimesSync(each, 1e9, 1e9);
  }
}

put('image', { 'code/version': 'v2' });
mkdirSync(join(folder, 'image/empty/nothing'), { recursive: true });
put('same', { 'code/version': 'v2' });
// The time of a folder is that of a copy.
utimesSync(join(folder, 'same/code'), 2e9, 2e9);
put('more', { 'code/version': 'v2', 'code/upload': 'mine' });
put('other', { 'code/version': 'v1' });

const compare = (...lines: readonly string[]) =>
  hostBash(
    folder,
    ['releases/compare-volumes.sh'],
    `PATH=${folder}:$PATH; token=secret; volume=(${lines.map((line) => `'${line}'`).join(' ')}); (main); ended`,
  );

test('an anonymous volume that has exactly the files of the image is told from one that has others', () => {
  const lines = ['same', 'more', 'other'].map((container) => `${container} image anonymous /code`);
  assert.deepEqual(compare(...lines), ['volume=only same /code', 'volume=also more /code', 'volume=also other /code']);
});

test('a volume with a name is data, whatever is in it', () => {
  assert.deepEqual(compare('same image named /code'), ['volume=also same /code']);
});

test('where the image has no files, or nobody can look, nothing is said', () => {
  assert.deepEqual(compare('same image anonymous /empty', 'same none anonymous /code', 'same image named /none'), []);
});

test('two looks that both fail show nothing alike', () => {
  const found = hostBash(
    folder,
    ['releases/compare-volumes.sh'],
    `PATH=${folder}:$PATH; touch down; is_same same same /code || echo differs; rm down; is_same same same /code && echo same`,
  );
  assert.deepEqual(found, ['differs', 'same']);
});

test('no container of ours stays', () => {
  compare('same image anonymous /code', 'same none anonymous /code');
  assert.deepEqual(readdirSync(folder).toSorted(), ['docker', 'image', 'more', 'other', 'same']);
});
