// What is read of the compose files that were kept of a release: what cannot be read, or only in part, is never taken for them. The
// program's own script in a real bash, with a compose that is made up.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const file = join(import.meta.dirname, '../../../shared/releases/read-kept.sh');
const folder = mkdtempSync(join(tmpdir(), 'read-kept-'));
after(() => rmSync(folder, { recursive: true }));
const kept = join(folder, 'rollback', 'compose', 'k1');
mkdirSync(kept, { recursive: true });
writeFileSync(join(kept, 'config.json'), '{}');
writeFileSync(join(kept, 'files.txt'), 'compose.yml\n');

function read({ id = 'k1', deployDir = folder, compose = "echo '{}'" } = {}) {
  const script = `
    set -euo pipefail
    takes() { :; }; takes_list() { :; }
    source "$1"
    backup_dir=$2 deploy_dir=$3 id=$4 project=shop directory=/opt/shop env_lines=('env-file /x')
    record() { printf '%s=%s\\n' "$1" "$2"; }; fail() { printf 'fail %s %s\\n' "$1" "$2" >&2; exit 1; }
    compose_command() { printf 'call=%s\\n' "$*"; compose=(asked); }; asked() { ${compose}; }
    inline_values() { echo "values of $1"; }; project_state() { echo "state of $2"; }
    main`;
  const { stdout, stderr } = spawnSync('bash', ['--norc', '-c', script, 'bash', file, folder, deployDir, id], {
    encoding: 'utf8',
  });
  return { lines: stdout.split('\n').filter(Boolean), stderr: stderr.trim() };
}

test('the kept files are read, and no others', () => {
  assert.deepEqual(read(), {
    lines: [
      'files=compose.yml',
      `call=shop file ${kept}/config.json project-directory /opt/shop profile * env-file /x`,
      'config={}',
      'values=values of {}',
      'project-state=state of {}',
    ],
    stderr: '',
  });
});

test('a release of which none were kept is not read from today’s', () => {
  assert.deepEqual(read({ id: 'k2' }), {
    lines: [],
    stderr: `fail not-kept ${folder}/rollback/compose/k2/config.json cannot be read`,
  });
});

test('nor in another folder than the project’s', () => {
  const { lines, stderr } = read({ deployDir: join(folder, 'gone') });
  assert.deepEqual(lines, ['files=compose.yml']);
  assert.match(stderr, /fail not-kept .*gone cannot be entered$/);
});

test('half a configuration is none', () => {
  const { lines } = read({ compose: 'printf \'{"services":\'; return 1' });
  assert.ok(lines.includes('config='), lines.join());
});
