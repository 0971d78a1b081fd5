// Which project, and which compose files, the labels of containers tell of: the scripts of the survey in a real bash, with a
// Docker that only prints labels.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';

const script = (name: string) => join(import.meta.dirname, '../../shared/survey', name);

/** Folders and files, some of them links; all paths below it. */
let root: string;

before(() => {
  root = mkdtempSync(join(tmpdir(), 'find project '));
  const files = [
    'shop/docker-compose.yml',
    'shop/docker-compose.override.yml',
    'shop/prod.yml',
    'repo/infra/prod/compose.yml',
  ];
  for (const file of [...files, 'rel/1/compose.yml', 'rel/2/compose.yml', 'Up_Case/compose.yml', 'opt/a/compose.yml']) {
    mkdirSync(join(root, dirname(file)), { recursive: true });
    writeFileSync(join(root, file), 'services: {}\n');
  }
  symlinkSync('2', join(root, 'rel/current'));
  mkdirSync(join(root, 'empty'));
  writeFileSync(join(root, 'shop/env'), 'COMPOSE_FILE="docker-compose.yml:prod.yml"\n');
});
after(() => rmSync(root, { recursive: true }));

function bash(text: string, lines: readonly string[], composeName = ''): string[] {
  const stub = `set -euo pipefail
    docker() {
      case "$1 $2" in
        'ps --all') printf '%s' "$ROWS" ;;
        compose*) [[ $NAME != services ]] || { [[ $* != *docker-compose.yml* ]] && echo monitoring || echo app; exit; }
          [[ -z $NAME ]] || printf '{\\n  "name": "%s",\\n' "$NAME" ;;
        inspect*) printf '%s' "$ROWS" ;;
      esac
    }
    record() { printf '%s=%s\\n' "$1" "$2"; }
    project_containers() { [[ $1 != named ]] || echo x; }
    for file in find-project adopt-files; do source "$SCRIPTS/$file.sh"; done
  `;
  const env = {
    ...process.env,
    ROWS: lines.map((line) => `${line}\n`).join(''),
    NAME: composeName,
    SCRIPTS: script(''),
  };
  const { stdout, stderr, status } = spawnSync('bash', ['-c', stub + text], { cwd: root, env, encoding: 'utf8' });
  assert.equal(stderr, '');
  assert.equal(status, 0);
  return stdout.split('\n').filter((line) => line !== '');
}

/** A row of `docker ps`: project, folder and files relative to the root. */
const row = (project: string, folder: string, ...files: string[]) =>
  [project, join(root, folder), files.map((file) => join(root, file)).join(',')].join('\x1f');

describe('the project is found', () => {
  const find = (rows: string[], folder: string, { name = '', files = [] as string[], composeName = '' } = {}) =>
    bash(
      `find_project "$PWD/${folder}" '${name}' '' ${files.map((file) => `'${file}'`).join(' ')}; printf '%s\\n' "\${projects[@]}" | sort`,
      rows,
      composeName,
    );
  const cases: [what: string, found: () => string[], projects: string[]][] = [
    ['by its name, whatever runs', () => find([], 'shop', { name: 'shop' }), ['shop']],
    [
      'by its folder',
      () => find([row('shop', 'shop', 'shop/docker-compose.yml'), row('x', 'rel/1')], 'shop'),
      ['shop'],
    ],
    ['by its folder behind a link', () => find([row('s', 'rel/2', 'rel/2/compose.yml')], 'rel/current'), ['s']],
    [
      'by its file, in the folder of a repository',
      () =>
        find([row('prod', 'repo/infra/prod', 'repo/infra/prod/compose.yml'), row('x', 'repo')], 'repo', {
          files: ['infra/prod/compose.yml'],
        }),
      ['prod'],
    ],
    [
      'by the folder of its file, if it was started from another file there',
      () =>
        find([row('prod', 'repo/infra/prod', 'repo/infra/prod/old.yml')], 'repo', {
          files: ['infra/prod/compose.yml'],
        }),
      ['prod'],
    ],
    [
      'below a folder without a compose file',
      () => find([row('prod', 'repo/infra/prod', 'repo/infra/prod/compose.yml')], 'repo'),
      ['prod'],
    ],
    ['not below a folder with one', () => find([row('other', 'shop/sub', 'shop/sub/compose.yml')], 'shop'), []],
    ['not beside it, with a name that begins alike', () => find([row('other', 'shop-2')], 'shop'), []],
    ['several below it', () => find([row('a', 'opt/a'), row('b', 'opt/b')], 'opt'), ['a', 'b']],
    [
      'of several in one folder, the one that compose would take',
      () => find([row('blue', 'shop'), row('green', 'shop')], 'shop', { composeName: 'green' }),
      ['green'],
    ],
    [
      'of several in one folder, none that compose would take',
      () => find([row('blue', 'shop'), row('green', 'shop')], 'shop', { composeName: 'red' }),
      ['blue', 'green'],
    ],
    [
      'by the name in the file, where the folder is new',
      () => find([row('named', 'rel/1')], 'rel/current', { composeName: 'named' }),
      ['named'],
    ],
    [
      'not by a name that is merely that of the folder',
      () => find([row('shop', 'opt/a')], 'shop', { composeName: 'shop' }),
      [],
    ],
    ['not by the name of a folder with capitals', () => find([], 'Up_Case', { composeName: 'up_case' }), []],
    ['none where nothing runs', () => find([], 'shop'), []],
    ['none where the folder does not exist', () => find([row('shop', 'shop')], 'nowhere'), []],
  ];
  for (const [what, found, projects] of cases) test(what, () => assert.deepEqual(found(), projects));
});

describe('the files are adopted', () => {
  /** A line of `docker inspect`: when, service, files, folder, env files. */
  const labels = (files: string[], folder: string, envFiles: string[] = [], service = 'app', when = '2026-11-27') =>
    [when, service, files.map((file) => join(root, file)).join(','), join(root, folder), envFiles.join(',')].join(
      '\x1f',
    );
  const adopt = (lines: string | string[], folder: string, { files = [] as string[], envFile = '' } = {}) =>
    bash(
      `compose_files=(${files.map((file) => `'${file}'`).join(' ')})
       adopt_files "$PWD/${folder}" "$PWD/${folder}/backups" '${envFile}' id
       printf '%s\\n' "\${call[@]}"`,
      [lines].flat(),
      'services',
    ).map((each) => each.replaceAll(root, 'ROOT'));
  const cases: [what: string, found: () => string[], call: string[]][] = [
    [
      'from the labels, with override file and env file',
      () =>
        adopt(
          labels(['shop/docker-compose.yml', 'shop/docker-compose.override.yml'], 'shop', ['/etc/prod.env']),
          'shop',
        ),
      ['file docker-compose.yml', 'file docker-compose.override.yml', 'env-file /etc/prod.env'],
    ],
    [
      'without those of our transactions',
      () =>
        adopt(labels(['shop/docker-compose.yml', 'shop/backups/rollback/transactions/1/override.yml'], 'shop'), 'shop'),
      ['file docker-compose.yml'],
    ],
    [
      'with the folder of the project, if that is another one',
      () => adopt(labels(['repo/infra/prod/compose.yml'], 'repo'), 'repo'),
      ['file infra/prod/compose.yml', 'project-directory ROOT/repo'],
    ],
    [
      'given ones, if they are the same behind a link',
      () => adopt(labels(['rel/2/compose.yml'], 'rel/2', ['/x.env']), 'rel/current', { files: ['compose.yml'] }),
      ['file compose.yml', 'env-file /x.env'],
    ],
    [
      'given ones, and the difference is told',
      () =>
        adopt(labels(['shop/docker-compose.yml', 'shop/prod.yml'], 'shop'), 'shop', { files: ['docker-compose.yml'] }),
      ['compose-deployed=ROOT/shop/docker-compose.yml', 'ROOT/shop/prod.yml', 'file docker-compose.yml'],
    ],
    [
      'those that compose would find, if the deployed ones are gone',
      () => adopt(labels(['gone/compose.yml'], 'gone'), 'shop'),
      ['compose-missing=ROOT/gone/compose.yml', 'file docker-compose.yml', 'file docker-compose.override.yml'],
    ],
    [
      'those of COMPOSE_FILE in the env file, too',
      () => adopt(labels([], 'shop'), 'shop', { envFile: 'env' }),
      ['file docker-compose.yml', 'file prod.yml', 'env-file env'],
    ],
    [
      'a part that was started by itself, and last, beside the rest',
      () =>
        adopt(
          [
            labels(['shop/prod.yml'], 'shop', [], 'monitoring', '2026-11-27'),
            labels(['shop/docker-compose.yml'], 'shop', [], 'app', '2026-11-26'),
          ],
          'shop',
        ),
      ['file docker-compose.yml', 'file prod.yml'],
    ],
    [
      'those of the folder, if something apart was started from another one, and last',
      () =>
        adopt(
          [
            labels(['rel/2/compose.yml'], 'rel/2', [], 'monitoring', '2026-11-27'),
            labels(['shop/docker-compose.yml'], 'shop', [], 'app', '2026-11-26'),
          ],
          'shop',
        ),
      ['file docker-compose.yml'],
    ],
    [
      'the newest, if the project was moved and its files have what was started before',
      () =>
        adopt(
          [
            labels(['rel/2/compose.yml'], 'rel/2', [], 'monitoring', '2026-11-27'),
            labels(['shop/docker-compose.yml'], 'shop', [], 'monitoring', '2026-11-26'),
          ],
          'shop',
        ),
      ['file ROOT/rel/2/compose.yml'],
    ],
    [
      'the newest, if the others are of an earlier release',
      () =>
        adopt(
          [
            labels(['rel/2/compose.yml'], 'rel/2', [], 'monitoring', '2026-11-27'),
            labels(['rel/1/compose.yml'], 'rel/1', [], 'db', '2026-11-26'),
          ],
          'rel/2',
        ),
      ['file compose.yml'],
    ],
    [
      'given ones, if any part was started from them',
      () =>
        adopt(
          [
            labels(['shop/prod.yml'], 'shop', [], 'monitoring'),
            labels(['shop/docker-compose.yml'], 'shop', ['/x.env']),
          ],
          'shop',
          { files: ['docker-compose.yml'] },
        ),
      ['file docker-compose.yml', 'env-file /x.env'],
    ],
    ['none where there are none', () => adopt(labels([], 'empty'), 'empty'), []],
  ];
  for (const [what, found, call] of cases) test(what, () => assert.deepEqual(found(), call));
});
