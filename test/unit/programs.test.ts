// The parameters of the programs that run on the host: what each takes, as its script says.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..', '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

/** Sent in front of every program. */
const inFront = ['shared/host/parameters.sh', 'shared/host/lock.sh', 'shared/host/supervisor.sh'];

/** The names that a script takes. */
function takenBy(script: string): string[] {
  const lines = Array.from(script.matchAll(/^takes(?:_list|_number|_word)? ([^#\n]+)/gm), ([, names = '']) => names);
  return lines.flatMap((names) => names.trim().split(/\s+/));
}

/** The names of the variables of a function from which a program's code is called, or its parameters are set. */
function namesIn(name: string): string[] {
  const script = inFront.map(read).join('\n');
  const [body = ''] = new RegExp(`^${name}\\(\\) {$.*?^}$`, 'ms').exec(script) ?? [];
  assert.notEqual(body, '', `${name} was not found`);
  const locals = Array.from(body.matchAll(/\blocal (?:-\w+ )?([^\n;]+)/g), ([, words = '']) => words.split(/\s+/));
  const assigned = Array.from(body.matchAll(/^\s*(\w+)=/gm), ([, name = '']) => name);
  return [...locals.flat().map((word) => word.replace(/[=[].*$/, '')), ...assigned].filter((name) =>
    /^\w+$/.test(name),
  );
}

const programs = globSync('{shared,*-action}/**/*.sh', { cwd: root })
  .filter((file) => !inFront.includes(file))
  .map((file) => ({ file, taken: takenBy(read(file)) }))
  .filter(({ taken }) => taken.length > 0);

test('no parameter has a name that the supervisor uses itself', () => {
  assert.ok(programs.length >= 18, `only ${programs.length} programs were found`);
  const used = new Set([
    ...inFront.flatMap((file) => takenBy(read(file))),
    ...['supervise', 'work', 'take_lock', 'take_as', 'takes_list', 'read_parameters'].flatMap(namesIn),
  ]);
  assert.ok(used.has('end_reason') && used.has('nonce'), 'the names were not found');
  for (const { file, taken } of programs) {
    assert.deepEqual(
      taken.filter((name) => used.has(name)),
      [],
      file,
    );
  }
});

/** Bash refuses to let a function have a variable of its own by the name of a constant, and the function goes on without it. */
test('no constant has a name that a function of the supervisor, or of its own script, declares', () => {
  const localsIn = (script: string) =>
    Array.from(script.matchAll(/\blocal (?:-\w+ )?([^\n;]+)/g), ([, words = '']) => words.split(/\s+/))
      .flat()
      .map((word) => word.replace(/[=[].*$/, ''));
  const everywhere = new Set(inFront.map(read).flatMap(localsIn));
  assert.ok(everywhere.has('patience'));
  let constants = 0;
  for (const file of globSync('{shared,*-action}/**/*.sh', { cwd: root })) {
    const script = read(file);
    const names = Array.from(script.matchAll(/^readonly (.+)$/gm), ([, words = '']) => words)
      .flatMap((words) => (words.includes("'") ? [words] : words.split(/ (?=\w+=)/)))
      .map((word) => word.replace(/[=[].*$/s, ''));
    constants += names.length;
    const own = new Set(localsIn(script));
    assert.deepEqual(
      names.filter((name) => everywhere.has(name) || own.has(name)),
      [],
      file,
    );
  }
  assert.ok(constants > 20, `only ${constants} constants were found`);
});

/** Bash runs what is written in a subscript, as in `x[$(…)]`, wherever it calculates. */
test('whatever bash calculates with is taken as a number', () => {
  for (const file of [...inFront, ...programs.map((program) => program.file)]) {
    const script = read(file);
    const numbers = Array.from(script.matchAll(/^takes_number ([^#\n]+)/gm), ([, names = '']) =>
      names.trim().split(/\s+/),
    );
    const texts = takenBy(script).filter((name) => !numbers.flat().includes(name));
    const body = script.replace(/^\s*#.*$|\$\{#\w+\[@\]\}/gm, '');
    const calculated = Array.from(
      body.matchAll(/\(\((.*?)\)\)|\[\[ ([^\]]*?-(?:eq|ne|lt|le|gt|ge) .*?)\]\]|\$\{\w+:([^-=?+}][^}]*)\}/g),
      ([, arithmetic = '', comparison = '', part = '']) => `${arithmetic} ${comparison} ${part}`,
    ).map((text) => text.replace(/\$\([^()]*\)?|"[^"]*"/g, ' '));
    const names = texts.filter((name) => calculated.some((text) => new RegExp(`\\b${name}\\b`).test(text)));
    assert.deepEqual(names, [], file);
  }
});

/** Where such a file is gone, bash 5.2 ends the whole shell, in a condition too: read it with cat. */
test('no condition reads a file by $(<…)', () => {
  for (const file of globSync('{shared,*-action}/**/*.sh', { cwd: root })) {
    const lines = read(file)
      .split('\n')
      .filter((line) => /&&.*\$\(<|\b(if|while|until)\b.*\$\(</.test(line));
    assert.deepEqual(lines, [], file);
  }
});

test('no program takes a name twice, or one that it does not use', () => {
  for (const { file, taken } of programs) {
    assert.deepEqual([...new Set(taken)], taken, file);
    // `layout` is for sets.sh.
    const body = read(file).replace(/^takes.*$/gm, '');
    const unused = taken.filter((name) => name !== 'layout' && !new RegExp(`\\b${name}\\b`).test(body));
    assert.deepEqual(unused, [], file);
  }
});

test('the TypeScript that sends a program gives what its script takes', () => {
  const callers = globSync('{shared,*-action}/**/*.ts', { cwd: root }).map(read);
  // Shared by three programs.
  const records = read('shared/history/host-file.ts');
  for (const { file, taken } of programs) {
    const name = file.slice(file.lastIndexOf('/') + 1);
    const sends = new RegExp(`new URL\\('[./a-z-]*/${name.replace('.', '\\.')}', import\\.meta\\.url\\)`);
    const caller = callers.find((source) => sends.test(source));
    assert.ok(caller !== undefined, `nothing sends ${file}`);
    const unknown = taken.filter((each) => !new RegExp(`\\b${each}\\b`).test(caller + records));
    assert.deepEqual(unknown, [], file);
  }
});
