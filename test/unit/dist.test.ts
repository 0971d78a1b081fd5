// What users download: how large it is, and under which licences it stands.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';

const root = join(import.meta.dirname, '..', '..');
const actions = ['backup', 'rollback', 'verify'];

const filesOf = (bundle: string) =>
  globSync(`dist/${bundle}/*`, { cwd: root }).map((name) => ({ name, content: readFileSync(join(root, name)) }));

const MB = 1_000_000;

/**
 * A runner downloads one action, compressed: some 2 MB. Each action has its own copy of GitHub's clients for artifacts and cache,
 * with Azure's client below them, and of nodemailer: its repository must be whole by itself. They are byte for byte the same, so
 * git stores them once. Nothing is minified: what runs with people's keys can be read, and compared with its sources.
 * Before you raise a limit, see what has come in: `npm run build && ls -lS dist/*`.
 */
const budget = { action: 11.5 * MB, compressed: 2.6 * MB, postStep: 0.2 * MB, stored: 19.5 * MB };

for (const action of actions) {
  test(`what users of ${action} download stays small`, () => {
    const contents = ['cleanup', action].flatMap(filesOf).map(({ content }) => content);
    const whole = Buffer.concat(contents);
    assert.ok(whole.length > MB, 'dist/ was not found');
    assert.ok(whole.length - filesSize('cleanup') <= budget.action, `dist/${action} has ${whole.length} bytes`);
    assert.ok(gzipSync(whole).length <= budget.compressed, `compressed, it has ${gzipSync(whole).length} bytes`);
  });
}

test('the post-step starts from one small file', () => {
  assert.ok(filesSize('cleanup') <= budget.postStep, `dist/cleanup has ${filesSize('cleanup')} bytes`);
});

test('what the actions have in common is the same to the byte, so that git stores it once', () => {
  const contents = [...actions, 'cleanup'].flatMap(filesOf).map(({ content }) => content.toString('latin1'));
  const stored = [...new Set(contents)].reduce((sum, content) => sum + content.length, 0);
  assert.ok(stored <= budget.stored, `the different files of dist/ have ${stored} bytes`);
  const chunks = actions.flatMap((action) => filesOf(action).filter(({ name }) => /\d+\.index\.js$/.test(name)));
  const copies = Map.groupBy(chunks, ({ name }) => name.split('/').at(-1) ?? '');
  const differing = [...copies].filter(([, files]) => new Set(files.map(({ content }) => `${content}`)).size > 1);
  // Where two modules of an action get the same number, the bundler numbers one of them anew, and with it whatever asks for it.
  assert.ok(differing.length <= 2, differing.map(([name]) => name).join());
});

/** All let anybody use and pass on the code, as long as the notice comes along: that is what licenses.txt is for. */
const allowed = [
  ...['MIT', 'MIT-0', 'MIT/X11', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', '0BSD'],
  '(Apache-2.0 AND BSD-3-Clause)',
];

/**
 * buffers 0.1.1 of 2011 declares none. GitHub's client for artifacts brings it along, for an unpacking that we never call; so has
 * every action that uses that client.
 */
const undeclared = ['buffers'];

for (const bundle of [...actions, 'cleanup']) {
  test(`the licences in ${bundle} are listed, and are ones that we may pass on`, () => {
    const text = readFileSync(join(root, 'dist', bundle, 'licenses.txt'), 'utf8');
    const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
    const lines = text.split('\n');
    const listed = lines.flatMap((line, index) => {
      const isHead = `node_modules/${line}` in packages && (index === 0 || lines[index - 1] === '');
      return isHead ? [{ name: line, licence: lines[index + 1] ?? '' }] : [];
    });
    const names = listed.map(({ name }) => name);
    for (const name of ['@actions/core', '@actions/exec', '@actions/io'])
      assert.ok(names.includes(name), `${name} is not listed`);
    for (const { name, licence } of listed)
      assert.ok(allowed.includes(licence) || undeclared.includes(name), `${name} is under "${licence}"`);
    if (bundle === 'cleanup') return;
    for (const name of ['undici', '@actions/artifact', '@actions/cache', '@azure/storage-blob', 'nodemailer', 'yauzl'])
      assert.ok(names.includes(name), `${name} is not listed`);
  });
}

function filesSize(bundle: string): number {
  return filesOf(bundle).reduce((sum, { content }) => sum + content.length, 0);
}
