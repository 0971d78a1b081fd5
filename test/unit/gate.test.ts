// What gate.sh lets through, by itself: the actions go through it in test/e2e/gate.test.ts.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { bootstrap } from '../../shared/host/connection.ts';

const gate = join(import.meta.dirname, '../../host/gate.sh');
const folder = mkdtempSync(join(tmpdir(), 'gate-'));
after(() => rmSync(folder, { recursive: true }));

/** A program that is on the list, and code that a parameter may hold. */
const program = `printf '%s\\n' 'it runs' "\${p[@]}"`;
const text = 'SELECT 1';
const sha256 = (code: string) => createHash('sha256').update(code).digest('hex');
writeFileSync(
  join(folder, 'list'),
  `${sha256(program)} program trial backup\n${sha256(text)} text inside backup\n${sha256('other')} program other verify\n`,
);
writeFileSync(
  join(folder, 'conf'),
  `programs ${join(folder, 'list')}\nactions backup\ndeploy-dir /opt/app\nbackup-dir /opt/app/backups\n`,
);

interface Came {
  script?: string;
  parameters?: readonly string[];
  /** Instead of their number. */
  count?: string;
  command?: string;
}

/** What is said of what came: what the program prints, or why it was refused. */
function said({
  script = program,
  parameters = [],
  count = String(parameters.length),
  command = bootstrap,
}: Came): string {
  const input = `${Buffer.byteLength(script)}\n${script}${count}\n${parameters.map((each) => `${each}\0`).join('')}`;
  const { stdout, stderr } = spawnSync('bash', ['-p', gate, join(folder, 'conf')], {
    input,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], SSH_ORIGINAL_COMMAND: command },
  });
  return stdout + stderr;
}

test('a program on the list gets its parameters', () => {
  const parameters = ['backup_dir', '/opt/app/backups', 'dump', '/opt/app/backups/daily/x.dump', 'inside_script', text];
  assert.equal(said({ parameters }), `it runs\n${parameters.join('\n')}\n`);
});

describe('is refused', () => {
  const marks = (name: string) => join(folder, name);
  const table: [what: string, came: Came, why: RegExp][] = [
    ['another command', { command: 'bash -i' }, /and not: bash -i/],
    ['a shell', { command: '' }, /gives no shell/],
    ['a program with one byte changed', { script: `${program} ` }, /is not on its list/],
    ['a program of another action', { script: 'other' }, /is not on its list, for these actions: {2}backup/],
    ['code that is on no list', { parameters: ['inside_script', 'DROP TABLE x'] }, /the code in inside_script is not/],
    ['a program where code is meant', { parameters: ['inside_script', program] }, /the code in inside_script is not/],
    ['a backup folder that is not named', { parameters: ['backup_dir', '/srv'] }, /a place that its configuration/],
    ['a path elsewhere', { parameters: ['dump', '/etc/shadow'] }, /a place that its configuration/],
    ['a path that leads out', { parameters: ['dump', '/opt/app/backups/../../x'] }, /leads out of its folder/],
    ['a relative one', { parameters: ['home', '../x'] }, /leads out of its folder/],
    [
      'a path of what runs as an engine',
      { parameters: ['log_file', '/opt/app/backups/rollback/transactions/1/engine.sh'] },
      /a place that its configuration/,
    ],
    ['an option of Docker', { parameters: ['container', '--privileged'] }, /which is no name/],
    ['a container that is no drill’s', { parameters: ['name', 'app-db-1'] }, /neither a drill's nor a backup's/],
    ['a name that is no parameter’s', { parameters: ['x[$(id)]', '1'] }, /a name that no program takes/],
    ['a count that bash would run', { count: `a[$(touch ${marks('ran')})]` }, /what came is no program/],
    ['a count that is odd', { count: '1' }, /what came is no program/],
  ];
  for (const [what, came, why] of table) {
    test(what, () => {
      const answer = said(came);
      assert.match(answer, why);
      assert.doesNotMatch(answer, /it runs/);
      assert.equal(spawnSync('test', ['-e', marks('ran')]).status, 1, 'it was run');
    });
  }
});
