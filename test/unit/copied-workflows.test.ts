// The workflows that people copy, whole or in part: they give the actions what those take, and do what the pages say.
import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { type Action, actions, read, readInputsOf, root, samples } from './declared-actions.ts';
import { documents } from './pages.ts';

/** What only an example's own inputs and the run give. */
const exampleValues: Record<string, string> = {
  ...samples,
  'plan-only': 'true',
  'registry-username': 'octocat',
  'registry-password': 'a token',
  's3-bucket': 'acme-backups',
};

interface Step {
  id?: string;
  uses?: string;
  with?: Record<string, unknown>;
}

/** The YAML of the examples, and that in the fences of every document. */
const snippets: { place: string; text: string }[] = [
  ...workflowsForUsers().map((place) => ({ place, text: read(place) })),
  ...documents().flatMap((place) =>
    Array.from(read(place).matchAll(/^```ya?ml\n([\s\S]*?)^```$/gm), ([, text = ''], index) => ({
      place: `${place}, block ${index + 1}`,
      text,
    })),
  ),
];

describe('a snippet of a workflow', () => {
  for (const { place, text } of snippets) {
    test(`works: ${place}`, () => {
      const steps = stepsIn(parse(text));
      for (const step of steps) checkStep(step);
      checkOutputsUsed(text, steps);
    });
  }

  test('is there for both kinds', () => {
    const kinds = snippets.flatMap(({ text }) =>
      stepsIn(parse(text)).map((step) => step.with?.['kind'] ?? 'scheduled'),
    );
    assert.ok(kinds.includes('scheduled') && kinds.includes('predeployment'), kinds.join());
  });
});

test('the examples are whole workflows that ask for little', () => {
  const files = globSync('{examples,examples/short,.github/workflows}/*.yml', { cwd: root });
  assert.ok(files.length >= 10);
  for (const file of files) {
    const workflow = parse(read(file));
    assert.ok(workflow.permissions !== undefined, `${file} has no permissions`);
    // Why each is needed stands behind it, where nobody can overlook it when one is added.
    const [, permissions = ''] = /^permissions:\n((?: {2}.+\n)+)/m.exec(read(file)) ?? [];
    for (const line of workflowsForUsers().includes(file) ? permissions.trimEnd().split('\n').filter(Boolean) : [])
      assert.match(line, /: \w+ # \w/, `${file}: ${line}`);
    if (file.startsWith('examples/')) assert.equal(workflow.concurrency['cancel-in-progress'], false, file);
    for (const job of Object.values(workflow.jobs) as { uses?: string; 'timeout-minutes'?: number }[]) {
      if (job.uses !== undefined) continue;
      assert.ok(Number(job['timeout-minutes']) > 0, `a job of ${file} has no timeout-minutes`);
    }
    for (const [, used = ''] of read(file).matchAll(/^\s*-?\s*uses:\s*(.+)$/gm)) {
      assert.match(used, /^(atlasia\/|\.\/)|@[0-9a-f]{40} # v\d/, `${file} uses ${used}, which is not pinned`);
    }
  }
});

test('the examples count and delete by the same policy, whether they state it or not', () => {
  const names = ['timezone', 'keep-daily', 'keep-weekly', 'keep-monthly'];
  const policies = workflowsForUsers().flatMap((file) => {
    const workflow = parse(read(file));
    const calls = workflow.on?.workflow_call?.inputs ?? {};
    return stepsIn(workflow).flatMap((step) => {
      const action = actionOf(step.uses ?? '');
      const inputs = step.with ?? {};
      // Those that neither delete nor count tiers.
      if (action === undefined || !('keep-daily' in action.file.inputs)) return [];
      if (action.folder === 'verify-action' && !/backups/.test(String(inputs['checks'] ?? 'backups'))) return [];
      const policyOf = (name: string) => {
        const [, input] = /^\$\{\{ inputs\.([\w-]+) \}\}$/.exec(String(inputs[name])) ?? [];
        return input === undefined ? (inputs[name] ?? action.file.inputs[name]?.default) : calls[input].default;
      };
      return [names.map(policyOf).join(' ')];
    });
  });
  assert.ok(policies.length >= 7);
  assert.deepEqual(new Set(policies), new Set(['UTC 7 4 all']), policies.join('\n'));
});

test('what a workflow gives where nothing was set is what the action would take by itself', () => {
  const listed = read('examples/env.example');
  const compared = new Set<string>();
  for (const file of workflowsForUsers()) {
    const workflow = parse(read(file));
    const calls: Record<string, { default?: string }> = workflow.on?.workflow_call?.inputs ?? {};
    for (const step of stepsIn(workflow))
      for (const [name, value] of Object.entries(step.with ?? {})) {
        const place = `${name} in ${file}`;
        const declared = actionOf(step.uses ?? '')?.file.inputs[name]?.default ?? '';
        const [, passed = ''] = /^\$\{\{ inputs\.([\w-]+) \}\}$/.exec(String(value)) ?? [];
        const [, last] = /\|\| '([^']*)' \}\}$/.exec(String(value)) ?? [];
        const fallback = last ?? calls[passed]?.default;
        if (fallback === undefined) continue;
        assert.equal(fallback, declared, place);
        compared.add(name);
        // Where it is explained which variable that is, it stands as well.
        const [, variable] = /^\$\{\{ vars\.([A-Z_]+) \|\| /.exec(String(value)) ?? [];
        const [, empty] = new RegExp(`^# .*\\bempty for (\\w+)\\b.*\\n${variable}=$`, 'm').exec(listed) ?? [];
        if (empty !== undefined) assert.equal(empty, declared, `${variable} in examples/env.example`);
      }
  }
  const told = ['health-timeout', 'lock-wait', 'port', 'user', 'jobs', 'schema-guard', 'registry', 'restore-from'];
  assert.deepEqual(
    told.filter((name) => !compared.has(name)),
    [],
  );
});

test('a deployment and a rollback share a group, so that they never work at the same time', () => {
  const groupOf = (file: string) => String(parse(read(file)).concurrency.group);
  const rollbacks = ['examples/rollback.yml', 'examples/short/rollback.yml'].map(groupOf);
  assert.deepEqual(new Set(rollbacks), new Set([`deploy-\${{ inputs.environment }}`]));
  assert.equal(groupOf('examples/deploy.yml'), 'deploy-prod');
  // That GitHub cancels one that waits must be said where somebody waits.
  for (const file of ['examples/rollback.yml', 'examples/deploy.yml'])
    assert.match(read(file), /# .*ONE waiting run.*\n.*start the rollback again/, file);
});

test('the button takes what the actions tell people to type, by the names that they use', () => {
  const told = [
    'target',
    'reason',
    'confirm',
    'expect-plan',
    'plan-only',
    'skip-backup',
    'restore-database',
    'confirm-restore',
    'schema-guard',
  ];
  for (const file of ['examples/rollback.yml', 'examples/short/rollback.yml']) {
    const { inputs } = parse(read(file)).on.workflow_dispatch;
    assert.deepEqual(
      told.filter((name) => !(name in inputs)),
      [],
      file,
    );
    for (const [name, { description, type, ...input }] of Object.entries(inputs) as [
      string,
      Record<string, unknown>,
    ][]) {
      // The form shows the description alone.
      assert.ok(String(description).startsWith(`${name}: `), `${file}: ${name}`);
      // A tick that was never made does nothing.
      if (type === 'boolean') assert.notEqual(input['default'], true, `${file}: ${name}`);
    }
  }
  const { inputs } = parse(read('examples/deploy.yml')).on.workflow_dispatch;
  assert.ok('release-hold' in inputs);
});

test('examples/env.example has each secret and variable of the examples, and no other, and names who needs it', () => {
  const files = globSync('examples/*.yml', { cwd: root });
  const usersOf = (name: string) => {
    const uses = (file: string) => new RegExp(`\\b(?:secrets|vars)\\.${name}\\b`).test(read(file));
    const whole = files.filter(uses).map((file) => file.replace('examples/', ''));
    // What only a reusable workflow takes is for those who call it.
    return whole.length > 0
      ? whole
      : reusableWorkflows()
          .filter(uses)
          .map((file) => `short/${basename(file)}`);
  };
  const used = new Set(
    workflowsForUsers().flatMap((file) =>
      Array.from(read(file).matchAll(/\b(?:secrets|vars)\.([A-Z_]+)/g), ([, name = '']) => name),
    ),
  );
  const listed = new Map(
    Array.from(
      read('examples/env.example').matchAll(/^# .*(?:Needed|Used|needed) by: (.*)\n([A-Z_]+)=$/gm),
      ([, users = '', name = '']) => [name, users],
    ),
  );
  assert.deepEqual([...listed.keys()].toSorted(), [...used].toSorted());
  for (const [name, users] of listed) {
    const all = files.map((file) => file.replace('examples/', ''));
    const named = users.startsWith('everything but ') ? all.filter((file) => !users.includes(file)) : users.split(', ');
    const needed = usersOf(name);
    if (name === 'BACKUP_REGION')
      assert.deepEqual(
        named.filter((file) => !needed.includes(file)),
        [],
      );
    else assert.deepEqual(named.toSorted(), needed.toSorted(), name);
  }
});

test('no value becomes part of a script of an example', () => {
  for (const file of workflowsForUsers()) {
    const scripts = Array.from(
      JSON.stringify(parse(read(file))).matchAll(/"run":"((?:[^"\\]|\\.)*)"/g),
      ([, script = '']) => script,
    );
    for (const script of scripts) assert.doesNotMatch(script, /\$\{\{/, file);
  }
});

/** The examples, and the reusable workflows that they call. */
function workflowsForUsers(): string[] {
  return [...globSync('examples/**/*.yml', { cwd: root }), ...reusableWorkflows()].toSorted();
}

function reusableWorkflows(): string[] {
  return globSync('.github/workflows/*.yml', { cwd: root }).filter((file) => 'workflow_call' in parse(read(file)).on);
}

/** The steps that use the action, wherever they stand: a snippet may be a whole workflow or only its steps. */
function stepsIn(node: unknown): Step[] {
  if (typeof node !== 'object' || node === null) return [];
  const own = 'uses' in node && actionOf(String(node.uses)) !== undefined ? [node as Step] : [];
  return [...own, ...Object.values(node).flatMap(stepsIn)];
}

function actionOf(uses: string): Action | undefined {
  return actions.find(({ folder }) => uses.startsWith(`atlasia/${folder}@`));
}

function checkStep(step: Step): void {
  const inputs = step.with ?? {};
  const action = actionOf(step.uses ?? '');
  assert.ok(action !== undefined && step.uses === `atlasia/${action.folder}@v1`, step.uses);
  for (const name of Object.keys(inputs)) assert.ok(name in action.file.inputs, `there is no input "${name}"`);
  // What they come to is tested where the workflow is run.
  const expression = /^\$\{\{ [^{}]+ \}\}$/;
  const exampleOf = (name: string, text: string) => {
    if (!expression.test(text)) return text;
    // Given on a condition only.
    if (text.endsWith("|| '' }}")) return '';
    return exampleValues[name] ?? action.file.inputs[name]?.default ?? '';
  };
  const values = Object.entries(inputs).map(([name, value]) => [name, exampleOf(name, String(value))]);
  // Throws where an input that is needed is missing, or a value cannot be used.
  readInputsOf(action, Object.fromEntries(values));
}

function checkOutputsUsed(text: string, steps: readonly Step[]): void {
  for (const [, id = '', output = ''] of text.matchAll(/\bsteps\.([\w-]+)\.outputs\.([\w-]+)/g)) {
    const step = steps.find((each) => each.id === id);
    // That of a script; what it sets is tested where the workflow is run.
    if (step === undefined && new RegExp(`^ +id: ${id}\\n(?: +env:\\n(?: {10}.*\\n)+)? +run: `, 'm').test(text))
      continue;
    assert.ok(step !== undefined, `no step has the id ${id}`);
    assert.ok(output in (actionOf(step.uses ?? '')?.file.outputs ?? {}), `there is no output "${output}"`);
  }
}
