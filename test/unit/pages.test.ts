// The pages: links lead somewhere, and whatever they name is there.
import assert from 'node:assert/strict';
import { existsSync, globSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { failureCodes } from '../../shared/failure-codes.ts';
import { obstacleKinds } from '../../shared/plan/obstacles.ts';
import { type Action, actions, read, refusalOf, root } from './declared-actions.ts';
import { anchorsOf, codeIn, documents, linksOf, section, withoutFences } from './pages.ts';

/** What looks like an input and is none of ours: of other programs, of compose and of GitHub, or made up for an example. */
const otherWords = [
  ...['age-keygen', 'docker-compose', 'ssh-copy-id', 'sha256sum', 'pre-data', 'post-data', 'role-duration-seconds'],
  ...['restart', 'queue'],
  ...[
    'release-candidate',
    'sha-1a2b3c4',
    'pr-12',
    'latest-amd64',
    'shop-app-2',
    'prod-backup',
    'deploy-dev',
    'backup-dev',
  ],
  // A check of a backup, and a line of a rollback's journal.
  ...['read-back', 'stays-stopped'],
];

/** Inputs, outputs, their values, names of failures, and the keys and values of the workflows. */
function knownWords(): string[] {
  const declared = actions.flatMap(({ folder, file: { inputs, outputs } }) => [
    folder,
    ...[inputs, outputs].flatMap((options) => Object.keys(options)),
    ...Object.values({ ...inputs, ...outputs }).flatMap(({ description }) => codeIn(description)),
    ...Object.values(inputs).flatMap((input) => input.default ?? []),
  ]);
  const workflows = globSync('{examples/**,.github/workflows}/*.yml', { cwd: root }).flatMap((file) =>
    wordsIn(parse(read(file))),
  );
  const packages = Object.keys(JSON.parse(read('package.json')).dependencies).map((name) => basename(name));
  return [...declared, ...failureCodes, ...obstacleKinds, ...workflows, ...packages];
}

function wordsIn(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return [String(node)];
  return Array.isArray(node) ? node.flatMap(wordsIn) : [...Object.keys(node), ...Object.values(node).flatMap(wordsIn)];
}

describe('documents', () => {
  for (const file of documents()) {
    test(`links of ${file} lead somewhere`, () => {
      const prose = read(file).replace(/^```[\s\S]*?^```$/gm, '');
      for (const [, link = ''] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(link)) continue;
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? file : relative(root, join(root, dirname(file), path));
        assert.ok(existsSync(join(root, target)), `${file} links to ${link}, which is not there`);
        if (anchor) assert.ok(anchorsOf(target).includes(anchor), `${file} links to ${link}: no such heading`);
      }
    });
  }

  test('links lead from the README to every page and every example, and from the first page to backup, drill and button', () => {
    const seen = new Set(['README.md']);
    for (const file of seen) for (const linked of file.endsWith('.md') ? linksOf(file) : []) seen.add(linked);
    const all = [...documents(), ...globSync('examples/*', { cwd: root }).filter((file) => file.includes('.'))];
    assert.deepEqual(
      all.filter((file) => !seen.has(file)),
      [],
    );
    const way = ['nightly-backup.yml', 'restore-drill.yml', 'deploy.yml', 'rollback.yml'];
    const first = linksOf('docs/getting-started.md');
    for (const example of way) assert.ok(first.includes(`examples/${example}`), example);
    assert.ok(first.includes('docs/rollback.md'));
  });

  const marked =
    /^( *)<!-- (?:run: (?:your machine|the host, as (?:root|deploy))|not run: \S.+) -->\n\1```(?:bash|sh)\n/gm;
  // Words that somebody could type; the demo's output has some.
  const command =
    /^ *(?:sudo|docker|gh|install|systemctl|ssh|scp|aws|age|psql|cat|cd|ls|rm|cp|mv|chmod|chown|curl|apt-get) /m;

  for (const file of documents()) {
    test(`each block of commands of ${file} says where it is typed, or why no test types it`, () => {
      const text = read(file).replace(/^<!-- demo:begin -->[\s\S]*^<!-- demo:end -->$/m, '');
      assert.equal(text.match(marked)?.length ?? 0, text.match(/^ *```(?:bash|sh)\n/gm)?.length ?? 0);
      const fences = text.matchAll(/^( *)```(\w*)\n([\s\S]*?)^\1```$/gm);
      for (const [, , language = '', content = ''] of fences)
        if (language === '') assert.doesNotMatch(content, command, 'a block of commands without its language');
    });
  }

  test('only pages that have a test of their own have blocks for another place than the host, as deploy', () => {
    const elsewhere = documents().filter((file) => /<!-- run: (?!the host, as deploy -->)/.test(read(file)));
    // getting-started.test.ts, restore-page.test.ts for two, gate.test.ts.
    assert.deepEqual(elsewhere, ['docs/getting-started.md', 'docs/offsite.md', 'docs/restore.md', 'docs/security.md']);
  });

  test('each input that a sentence gives a value takes it', () => {
    const taken = new Set<string>();
    for (const file of documents())
      for (const code of codeIn(withoutFences(read(file)))) {
        const [, name = '', text = ''] = /^([a-z][a-z0-9-]*): (.+)$/.exec(code) ?? [];
        const takers = actions.filter((action) => name in action.file.inputs);
        // Placeholders, and what only looks like an input, such as a key of compose.
        if (takers.length === 0 || /[…<]/.test(text)) continue;
        const value = String(parse(code)[name]);
        const refusals = takers.map((action) => refusalOf(action, name, value));
        assert.ok(refusals.includes(null), `${file}: ${code}: ${refusals.join(' / ')}`);
        taken.add(name);
      }
    assert.ok(taken.size > 25, [...taken].join());
    assert.match(refusalOf(actions[1] as Action, 'compose', 'keep') ?? '', /keep/);
  });

  test('each name that looks like an input is one, or something else that is known', () => {
    // `keep-daily`, `keep-daily: 3`, and `keep-…` for several.
    const shape = /^([a-z][a-z0-9]*(?:-[a-z0-9]+)+|[a-z][a-z0-9]*(?=: ))(?:: .*)?$|^((?:[a-z0-9]+-)+)…$/s;
    const inputs = actions.flatMap(({ file }) => Object.keys(file.inputs));
    const known = new Set([...knownWords(), ...otherWords]);
    const unknown: string[] = [];
    let inputsNamed = 0;
    for (const file of documents())
      for (const code of codeIn(withoutFences(read(file)))) {
        const [, name, start] = shape.exec(code) ?? [];
        if (name !== undefined && !known.has(name)) unknown.push(`${file}: ${code}`);
        if (start !== undefined && !inputs.some((input) => input.startsWith(start))) unknown.push(`${file}: ${code}`);
        if (name !== undefined && inputs.includes(name)) inputsNamed += 1;
      }
    assert.deepEqual(unknown, []);
    assert.ok(inputsNamed > 200);
  });

  test('each path of a file of ours that a sentence names is there', () => {
    const folders = globSync('*/', { cwd: root }).map((folder) => folder.replace(/\/$/, ''));
    const ours = new RegExp(`^(?:${folders.filter((name) => name !== 'node_modules').join('|')})/[\\w./*-]*$`);
    const named = documents().flatMap((file) =>
      codeIn(withoutFences(read(file))).flatMap((path) => (ours.test(path) ? [{ file, path }] : [])),
    );
    assert.ok(named.length > 10);
    for (const { file, path } of named)
      assert.ok(globSync(path, { cwd: root }).length > 0, `${file} names ${path}, which is not there`);
  });

  test('the headings that the messages name exist', () => {
    const named = globSync('{shared,*-action}/**/*.{ts,sh}', { cwd: root }).flatMap((file) =>
      Array.from(read(file).matchAll(/\b(docs\/[a-z]+\.md)(?:#([a-z0-9_-]+))?/g), ([, page = '', anchor]) => ({
        file,
        page,
        anchor,
      })),
    );
    assert.ok(named.length > 3);
    for (const { file, page, anchor } of named) {
      assert.ok(existsSync(join(root, page)), `${file} names ${page}, which is not there`);
      if (anchor) assert.ok(anchorsOf(page).includes(anchor), `${file} names ${page}#${anchor}: no such heading`);
    }
  });

  test('the commands that the README opens with exist', () => {
    const { scripts } = JSON.parse(read('package.json'));
    for (const file of documents()) {
      for (const [, script = ''] of read(file).matchAll(/\bnpm run ([a-z]+)/g)) {
        assert.ok(script in scripts, `${file} names npm run ${script}`);
      }
    }
  });
});

test('every threat in docs/security.md names a test that is there', () => {
  const tables = read('docs/security.md').matchAll(/^\| threat \|.*\n\|.*\n((?:\|.*\n)+)/gm);
  const threats = [...tables].flatMap(([, rows = '']) => rows.trimEnd().split('\n'));
  assert.ok(threats.length > 25);
  for (const threat of threats) {
    const cells = threat.split(/(?<!\\)\|/).map((cell) => cell.trim());
    const tests = [...(cells[3] ?? '').matchAll(/\]\(\.\.\/(test\/[^)]+\.test\.ts)\)/g)].map(([, file = '']) => file);
    assert.ok(cells.length === 5 && tests.length > 0, threat);
    for (const file of tests) assert.ok(existsSync(join(root, file)), `${file} in ${threat}`);
  }
});

test('what docs/comparison.md says is better elsewhere has a source and a date', () => {
  const [, ...tools] = section(read('docs/comparison.md'), 'Others').split('\n### ');
  const compared = tools.filter((text) => text.includes('**'));
  assert.equal(compared.length, 6);
  for (const text of compared) {
    const [, better = '', here = ''] =
      /\n\*\*Better there:\*\*\n\n([\s\S]*?)\n\n\*\*Different here:\*\*\n\n([\s\S]*)/.exec(text) ?? [];
    assert.ok(here !== '', text);
    for (const claim of better.split(/^- /m).slice(1))
      assert.match(claim, /\]\(https:\/\/[^)]+\)[^)]*20\d\d-\d\d-\d\d\)/, claim);
  }
});
