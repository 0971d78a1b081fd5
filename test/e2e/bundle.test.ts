// The bundles are what users run: they must start and find their programs wherever the runner has put them, and start
// fast, which a package that is loaded needlessly would end.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

const root = join(import.meta.dirname, '..', '..');
let folder: string;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'bundle test '));
  cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true });
  mkdirSync(join(folder, 'temp'));
});

after(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a bundle as the runner does, with nothing of this repository around it. */
function start(bundle: string, nodeArguments: string[] = []) {
  const output = join(folder, 'output');
  writeFileSync(output, '');
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...nodeArguments, join(folder, 'dist', bundle, 'index.js')],
    {
      cwd: folder,
      env: { PATH: process.env['PATH'], RUNNER_TEMP: join(folder, 'temp'), GITHUB_OUTPUT: output },
      encoding: 'utf8',
      timeout: 30_000,
    },
  );
  return { status, stdout, stderr, outputs: readFileSync(output, 'utf8') };
}

test('there is a bundle for every action and one for the post-step, each with its licences', () => {
  const actions = globSync('*-action/action.yml', { cwd: root }).map((file) => file.replace('-action/action.yml', ''));
  assert.deepEqual(readdirSync(join(folder, 'dist')).toSorted(), [...actions, 'cleanup'].toSorted());
  for (const bundle of readdirSync(join(folder, 'dist'))) {
    const licences = readFileSync(join(folder, 'dist', bundle, 'licenses.txt'), 'utf8').split('\n');
    const code = globSync('*.js', { cwd: join(folder, 'dist', bundle) }).map((file) =>
      readFileSync(join(folder, 'dist', bundle, file), 'utf8'),
    );
    const packages = code.join('').matchAll(/\.\/node_modules\/(@[a-z0-9-]+\/[a-z0-9.-]+|[a-z0-9.-]+)\//g);
    const unlicensed = new Set(
      Array.from(packages, ([, name = '']) => name).filter((name) => !licences.includes(name)),
    );
    assert.deepEqual([...unlicensed], []);
    assert.ok(licences.includes('@actions/core'));
    assert.match(readFileSync(join(folder, 'dist', bundle, 'package.json'), 'utf8'), /"type":\s*"module"/);
  }
});

test('backup without inputs fails, and says which are missing', () => {
  const { status, stdout, stderr, outputs } = start('backup');
  assert.equal(status, 1, stdout + stderr);
  assert.match(stdout, /^::error title=backup-action failed%3A bad-input::.*"host" is required and was not given/m);
  assert.match(stdout, /What to do: host: Give the name or address of the host/);
  assert.match(outputs, /^status<<(\S+)\nfailed\n\1$/m);
  assert.equal(stderr, '');
});

test('cleanup with nothing to clean up is silent', () => {
  assert.deepEqual(start('cleanup'), { status: 0, stdout: '', stderr: '', outputs: '' });
});

describe('the programs for the host', () => {
  const programs = globSync('{shared,*-action}/**/*.{sh,sql}', { cwd: root });
  const bundled = (bundle: string) =>
    readdirSync(join(folder, 'dist', bundle)).filter((file) => /\.(sh|sql)$/.test(file));
  const contentOf = (bundle: string, file: string) => readFileSync(join(folder, 'dist', bundle, file), 'utf8');
  const sources = programs.map((program) => [program, readFileSync(join(root, program), 'utf8')] as const);

  const bundles = ['backup', 'rollback', 'verify'];

  test('each lies beside the bundle of an action, as it is in the sources', () => {
    const contents = bundles.flatMap((bundle) => bundled(bundle).map((file) => contentOf(bundle, file)));
    for (const [program, text] of sources) assert.ok(contents.includes(text), `${program} is beside no bundle`);
  });

  for (const bundle of bundles) {
    test(`are those of the sources beside ${bundle}`, () => {
      const texts = sources.map(([, text]) => text);
      for (const file of bundled(bundle)) assert.ok(texts.includes(contentOf(bundle, file)), file);
    });

    test(`are those that the bundle ${bundle} looks for`, () => {
      // Also in the files that are loaded only where they are needed.
      const files = globSync('*.js', { cwd: join(folder, 'dist', bundle) });
      const code = files.map((file) => contentOf(bundle, file)).join('\n');
      const named = Array.from(
        code.matchAll(/__(?:nccwpck|webpack)_require__\.(?:p|ab) \+ "([^"]+\.(?:sh|sql))"/g),
        ([, name]) => name,
      );
      assert.deepEqual([...new Set(named)].toSorted(), bundled(bundle).toSorted());
      // Any other form of `new URL` names a file of the sources, which users do not have.
      assert.doesNotMatch(code, /new URL\(['"`]\.\/[^'"`]*\.(sh|sql)['"`]/);
    });
  }

  test('can be read by bash', () => {
    for (const program of programs.filter((name) => name.endsWith('.sh'))) {
      const { status, stderr } = spawnSync('bash', ['-n', join(root, program)], { encoding: 'utf8' });
      assert.equal(status, 0, `${program}: ${stderr}`);
    }
  });
});

describe('a start', () => {
  /** Prints every module that is loaded, so that a heavy one is seen. */
  const spy = `data:text/javascript,${encodeURIComponent(`
    import { registerHooks } from 'node:module';
    registerHooks({ load(url, context, next) { process.stderr.write('loaded ' + url + '\\n'); return next(url, context); } });
  `)}`;

  for (const bundle of ['backup', 'rollback', 'verify', 'cleanup']) {
    test(`of ${bundle} loads its one file and nothing heavy`, () => {
      const { stderr } = start(bundle, ['--import', spy]);
      const loaded = Array.from(stderr.matchAll(/^loaded file:(\S+)$/gm), ([, path = '']) => decodeURIComponent(path));
      assert.deepEqual(
        loaded.map((path) => path.slice(path.lastIndexOf('/dist/'))),
        [`/dist/${bundle}/index.js`],
      );
      const code = readFileSync(join(folder, 'dist', bundle, 'index.js'), 'utf8');
      assert.ok(code.length < 1_000_000, `index.js has grown to ${code.length} bytes`);
      assert.doesNotMatch(
        code,
        /@aws-sdk\/|@actions\/artifact|@azure\/|nodemailer\/|SMTPConnection|undici|age-encryption\//,
      );
    });
  }
});
