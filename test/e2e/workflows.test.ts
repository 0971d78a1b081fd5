// The workflows that people copy, and our own: read by GitHub's own language service against our action.yml files, by actionlint and by
// zizmor. The parts of workflows in the pages: snippets.test.ts.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { attempt } from '../lab/command.ts';
import { actionlint, actions, complaintsOf, complaintsOfAction } from '../lab/workflow/linters.ts';
import { zizmor } from '../lab/zizmor.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const workflows = globSync(['examples/**/*.yml', '.github/workflows/*.yml'], { cwd: root }).toSorted();

describe("GitHub's own language service", () => {
  for (const file of workflows) {
    test(`has no complaint about ${file}`, async () => {
      assert.deepEqual(await complaintsOf(read(file), file), []);
    });
  }

  for (const file of actions) {
    test(`has no complaint about ${file}`, async () => assert.deepEqual(await complaintsOfAction(file), []));
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

describe('actionlint', () => {
  for (const file of workflows) {
    test(`has no complaint about ${file}`, async () => assert.deepEqual(await actionlint(read(file), file), []));
  }

  test('complains about an outsider’s text in a script', async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: GitHub's
    const run = '      - run: echo ${{ github.event.pull_request.title }}\n';
    const text = `on: pull_request\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n${run}`;
    assert.match((await actionlint(text)).join(), /potentially untrusted/);
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
