// The list of what runs on hosts: it must name every program, by the action that sends it, or a gate would stop honest runs or
// let too much through.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hostCode, listOf } from '../../scripts/host-programs.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const code = await hostCode(root);
const programs = code.filter(({ kind }) => kind === 'program');

test('every program of the protocol is on the list, once', () => {
  const [, table = ''] = read('docs/protocol.md').split('| program | scripts |');
  const documented = Array.from(
    (table.split('\n\n')[0] ?? '').matchAll(/^\| ([a-z-]+) \| `/gm),
    ([, name = '']) => name,
  );
  assert.deepEqual(programs.map(({ name }) => name).toSorted(), documented.toSorted());
});

test('every Program of the sources is exported, so that it is found', () => {
  for (const file of globSync('{shared,*-action}/**/*.ts', { cwd: root })) {
    if (file === 'shared/host/program.ts') continue;
    assert.doesNotMatch(read(file), /^(const|let) \w+: Program\b/m, file);
  }
});

test('only rollback-action may begin a transaction, pull or swap', () => {
  const actionsOf = (name: string) => programs.find((program) => program.name === name)?.actions;
  for (const name of ['start', 'abort', 'find', 'pull']) assert.deepEqual(actionsOf(name), ['rollback'], name);
  assert.deepEqual(actionsOf('survey'), ['backup', 'rollback', 'verify']);
  assert.deepEqual(actionsOf('take'), ['backup', 'rollback']);
  assert.deepEqual(actionsOf('drill'), ['verify']);
});

test('the gate knows each parameter that is code, or a path', () => {
  const gate = read('host/gate.sh');
  const scripts = globSync('{shared,*-action}/**/*.sh', { cwd: root });
  const taken = scripts.flatMap((file) =>
    Array.from(read(file).matchAll(/^takes(?:_list)? ([^#\n]+)/gm), ([, names = '']) =>
      names.trim().split(/\s+/),
    ).flat(),
  );
  // What is run: as `sh -c "$x"`, or poured into psql.
  const codes = taken.filter((name) => /_script$|^facts_/.test(name));
  for (const name of codes) assert.match(gate, new RegExp(`code_parameters='[^']* ${name} `), name);
  const known = Array.from(gate.matchAll(/_parameters='([^']*)'/g), ([, names = '']) => names.trim().split(' ')).flat();
  for (const name of known) assert.ok(taken.includes(name), `gate.sh knows ${name}, which no program takes`);
});

test('the list has a line for each, as the gate reads it', () => {
  const lines = listOf(code, '1.2.3').trimEnd().split('\n');
  assert.match(lines.shift() ?? '', /^# .*v1\.2\.3/);
  assert.equal(lines.length, code.length);
  for (const line of lines) assert.match(line, /^[0-9a-f]{64} (program|text|engine) [a-z_-]+ [a-z]+(,[a-z]+)*$/);
});
