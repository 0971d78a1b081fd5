// The runner of workflows takes what GitHub takes, and refuses what it does not know.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../folder.ts';
import { evaluate, filled, holds } from './expression.ts';
import { runWorkflow, type WorkflowRun } from './workflow.ts';

const scope = {
  contexts: {
    vars: { HOST: 'db1', EMPTY: '' },
    inputs: { confirm: '', 'plan-only': false, environment: 'prod' },
    needs: { plan: { outputs: { prod: 'abc' } } },
  },
  state: { failed: false, cancelled: false },
};

describe('an expression', () => {
  const table: [expression: string, value: unknown][] = [
    ["vars.EMPTY || '22'", '22'],
    ["vars.HOST || '22'", 'db1'],
    ["inputs.plan-only || inputs.confirm == ''", true],
    ["!cancelled() && vars.HOST != ''", true],
    ["(vars.HOST == 'DB1') && 'it''s'", "it's"],
    ['needs.plan.outputs[inputs.environment]', 'abc'],
    ['failure() && true', false],
    ['null || 7', 7],
  ];
  for (const [expression, value] of table) test(expression, () => assert.deepEqual(evaluate(expression, scope), value));

  test('of something that is not there is a mistake', () => {
    for (const wrong of [
      'vars.OTHER',
      'secrets.KEY',
      'inputs.plan_only',
      'format(vars.HOST)',
      'vars.HOST =',
      "'open",
      'vars',
      '1 == vars.HOST',
      '',
    ])
      assert.throws(() => filled(`\${{ ${wrong} }}`, scope), Error, wrong);
  });

  test('of an "if" holds only after success, unless it asks for more', () => {
    const failed = { ...scope, state: { failed: true, cancelled: false } };
    assert.deepEqual([holds(undefined, scope), holds(undefined, failed)], [true, false]);
    assert.deepEqual([holds("vars.HOST != ''", scope), holds("vars.HOST != ''", failed)], [true, false]);
    assert.deepEqual([holds(`\${{ failure() }}`, scope), holds(`\${{ failure() }}`, failed)], [false, true]);
    assert.deepEqual([holds('!cancelled()', failed), holds('always()', failed)], [true, true]);
  });
});

const environments = { prod: { secrets: { KEY: 'k' }, vars: { HOST: 'db1' } } };

function workflow(jobs: string, head = 'on: { workflow_dispatch: { inputs: { box: { type: string } } } }'): string {
  const file = join(temporaryFolder('workflow'), 'workflow.yml');
  writeFileSync(file, `${head}\njobs:\n${jobs}`);
  return relative(fileURLToPath(new URL('../../..', import.meta.url)), file);
}

const job = (steps: string, more = '') =>
  `  one:\n    runs-on: ubuntu-latest\n    environment: prod\n    timeout-minutes: 5\n${more}    steps:\n${steps}`;
const run = (jobs: string, more: Partial<WorkflowRun> = {}) => runWorkflow(workflow(jobs), { environments, ...more });

describe('a workflow', () => {
  test('hands outputs and failures on', async () => {
    const result = await run(
      job(`      - { name: set, id: a, run: 'echo "x=7" >>"$GITHUB_OUTPUT"' }
      - { name: get, env: { X: '\${{ steps.a.outputs.x }}', B: '\${{ inputs.box }}' }, run: 'echo "$X $B"; exit 3' }
      - { name: never, run: 'echo no' }
      - { name: after, if: '\${{ failure() }}', run: 'echo "## said" >>"$GITHUB_STEP_SUMMARY"' }
`),
      { form: { box: 'of chocolates' } },
    );
    assert.deepEqual(
      result.steps.map(({ outcome }) => outcome),
      ['success', 'failure', 'skipped', 'success'],
    );
    assert.equal(result.step('get').stdout, '7 of chocolates\n');
    assert.match(result.summary, /## said/);
    assert.deepEqual(result.jobs, { one: 'failure' });
  });

  test('gives our actions what the file says, and their outputs to later steps', async () => {
    const seen: unknown[] = [];
    await run(
      job(`      - { id: b, uses: atlasia/backup-action@v1, with: { host: '\${{ vars.HOST }}', ssh-key: '\${{ secrets.KEY }}' } }
      - { env: { ID: '\${{ steps.b.outputs.backup-id }}' }, run: 'test "$ID" = 42' }
`),
      {
        runStep: async (action, inputs) => {
          seen.push([action, inputs]);
          return { exitCode: 0, outputs: { 'backup-id': '42' }, stdout: '', stderr: '', summary: '' } as never;
        },
      },
    ).then(({ jobs }) => assert.deepEqual(jobs, { one: 'success' }));
    assert.deepEqual(seen, [['backup', { host: 'db1', 'ssh-key': 'k' }]]);
  });

  test('with what is not known here is refused, not passed over', async () => {
    const mistakes = [
      job('      - { run: "true", shell: sh }\n'),
      job(`      - { run: "echo \${{ vars.HOST }}" }\n`),
      job('      - { uses: actions/checkout@v5 }\n'),
      job('      - { uses: atlasia/other-action@v1 }\n'),
      job(`      - { run: "true", env: { X: "\${{ secrets.OTHER }}" } }\n`),
      job(`      - { run: "true", env: { X: "\${{ steps.none.outputs.x }}" } }\n`),
      job('      - { run: "true" }\n', '    container: debian\n'),
      job('      - { run: "true" }\n').replace('environment: prod', 'environment: other'),
      job('      - { run: "true" }\n').replace('    timeout-minutes: 5\n', ''),
    ];
    for (const mistake of mistakes) await assert.rejects(run(mistake), Error, mistake);
    await assert.rejects(run(job('      - { run: "true" }\n'), { form: { other: 'x' } }), /no input other/);
    await assert.rejects(run(job('      - { run: "true" }\n'), { event: 'schedule' }), /no schedule/);
  });

  test('lets a job wait for others, and keeps the outputs of each job of a matrix', async () => {
    const result = await run(
      `  plan:
    runs-on: ubuntu-latest
    timeout-minutes: 5
    strategy: { fail-fast: false, matrix: { include: [{ name: eu }, { name: us }] } }
    outputs: { eu: '\${{ steps.h.outputs.eu }}', us: '\${{ steps.h.outputs.us }}' }
    steps: [{ id: h, env: { N: '\${{ matrix.name }}' }, run: 'echo "$N=of $N" >>"$GITHUB_OUTPUT"' }]
  go:
    needs: plan
    if: \${{ inputs.box == 'yes' }}
    runs-on: ubuntu-latest
    timeout-minutes: 5
    strategy: { max-parallel: 1, fail-fast: true, matrix: { include: [{ name: eu }, { name: us }] } }
    steps: [{ name: go, env: { H: '\${{ needs.plan.outputs[matrix.name] }}' }, run: 'echo "$H"; exit 1' }]
`,
      { form: { box: 'yes' } },
    );
    assert.deepEqual(result.jobs, { plan: 'success', go: 'failure' });
    assert.deepEqual(
      result.steps.filter(({ name }) => name === 'go').map(({ stdout }) => stdout),
      ['of eu\n'],
    );
  });
});
