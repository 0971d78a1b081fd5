// What action.yml declares, what the code reads and sets, and what people read must be the same.
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { afterEach, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { readBackupInputs } from '../../backup-action/inputs.ts';
import { noOutputs as noBackupOutputs } from '../../backup-action/outputs.ts';
import { readRollbackInputs } from '../../rollback-action/inputs.ts';
import { noOutputs as noRollbackOutputs } from '../../rollback-action/outputs.ts';
import { optionTables, withOptionTables } from '../../scripts/option-tables.ts';
import { failureCodes } from '../../shared/failure-codes.ts';
import { explanation } from '../../shared/runner/job-summary.ts';
import { readVerifyInputs } from '../../verify-action/inputs.ts';
import { noOutputs as noVerifyOutputs } from '../../verify-action/outputs.ts';
import type { Reached } from '../../verify-action/setup/setup-facts.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

interface ActionFile {
  name: string;
  description: string;
  author: string;
  branding: { icon: string; color: string };
  inputs: Record<string, { description: string; required?: boolean; default?: string }>;
  outputs: Record<string, { description: string }>;
  runs: { using: string; main: string; post: string };
}

interface Action {
  folder: string;
  file: ActionFile;
  readme: string;
  readInputs: () => unknown;
  outputs: () => object;
}

const actions: Action[] = [
  actionIn('backup-action', readBackupInputs, noBackupOutputs),
  actionIn('rollback-action', readRollbackInputs, noRollbackOutputs),
  actionIn('verify-action', readVerifyInputs, noVerifyOutputs),
];

function actionIn(folder: string, readInputs: () => unknown, outputs: () => object): Action {
  const file = parse(read(`${folder}/action.yml`)) as ActionFile;
  return { folder, file, readme: read(`${folder}/README.md`), readInputs, outputs };
}

/** A value for each input that has no default, as the code takes it. */
const samples: Record<string, string> = {
  host: 'db1.example.org',
  'ssh-key': '-----BEGIN PRIVATE KEY----- of a test',
  'known-hosts': 'db1.example.org ssh-ed25519 AAAA',
  confirm: 'ROLLBACK',
};

/** What only an example's own inputs and the run give. */
const exampleValues: Record<string, string> = {
  ...samples,
  'plan-only': 'true',
  'registry-username': 'octocat',
  'registry-password': 'a token',
  's3-bucket': 'acme-backups',
};

/** Reads as the action does where the workflow gives these. */
function readInputsOf({ readInputs }: Action, given: Record<string, string>) {
  for (const [name, value] of Object.entries(given)) process.env[`INPUT_${name.toUpperCase()}`] = value;
  try {
    return readInputs();
  } finally {
    forget();
  }
}

function forget(): void {
  for (const name of Object.keys(process.env)) if (name.startsWith('INPUT_')) delete process.env[name];
}

before(forget);
afterEach(forget);

for (const action of actions) {
  const { folder, file, readme, outputs } = action;
  describe(folder, () => {
    describe('inputs', () => {
      const own = globSync(`${folder}/*inputs.ts`, { cwd: root }).map(read).join('\n');
      const named = (text: string) =>
        Array.from(text.matchAll(/[\w-]+-inputs\.ts/g), ([name]) => `shared/inputs/${name}`);
      const shared = named(own).filter((path) => existsSync(join(root, path)));
      const beneath = shared.flatMap((path) => named(read(path)));
      const sources = [own, ...[...new Set([...shared, ...beneath])].map(read)].join('\n');
      const reading = /\binput\.(?:required|optional|withDefault|withEmpty|secret)\(\s*'([^']+)'/g;
      const readByCode = Array.from(sources.matchAll(reading), ([, name = '']) => name);

      test('the code reads exactly those that are declared', () => {
        assert.deepEqual(readByCode.toSorted(), Object.keys(file.inputs).toSorted());
      });

      test('a declared default is what the code takes where nothing is given', () => {
        const declared = Object.entries(file.inputs).flatMap(([name, input]) =>
          input.default === undefined || input.default.includes('${{') ? [] : [[name, input.default]],
        );
        const asTheRunnerGivesThem = { ...samples, ...Object.fromEntries(declared) };
        assert.deepEqual(readInputsOf(action, asTheRunnerGivesThem), readInputsOf(action, samples));
      });

      test('those without which nothing goes are required', () => {
        assert.throws(() => readInputsOf(action, {}), /"host" is required/);
        const required = Object.keys(file.inputs).filter((name) => file.inputs[name]?.required === true);
        assert.deepEqual(required, ['host']);
      });
    });

    describe('outputs', () => {
      test('the code sets exactly those that are declared', () => {
        assert.deepEqual(Object.keys(outputs()).toSorted(), Object.keys(file.outputs).toSorted());
      });
    });

    test('the README has the tables that npm run tables makes of action.yml', () => {
      assert.equal(withOptionTables(readme, optionTables(folder, read(`${folder}/action.yml`))), readme);
    });

    test('each status of a run has its row where the endings are explained', () => {
      const statuses = codeIn(file.outputs['status']?.description ?? '');
      assert.ok(statuses.length > 2);
      const tables = [section(readme, 'How a run ends')];
      if (folder === 'rollback-action') tables.push(section(read('docs/rollback.md'), 'How it ends'));
      for (const table of tables) {
        const rows = tableRows(table).flatMap(([name = '']) => codeIn(name));
        assert.deepEqual(rows.toSorted(), statuses.toSorted());
      }
    });

    test('the Marketplace takes action.yml', () => judgeMarketplace(file));
  });
}

test('every failure has its entry in docs/troubleshooting.md, with what to do, and nothing else has one', () => {
  const [, ...entries] = read('docs/troubleshooting.md').split(/^### /m);
  const documented = entries.map((entry) => entry.split('\n')[0] ?? '');
  assert.deepEqual(documented.toSorted(), failureCodes.toSorted());
  // Entries that say the same share their text, below the last of them.
  const texts = entries.map((entry) => entry.slice(entry.indexOf('\n')).trim()).filter((text) => text !== '');
  for (const text of texts) assert.match(text, /^\S[\s\S]+\n\n\*\*What to do:\*\* \S/);
});

test('the link below each error leads to its entry', () => {
  for (const code of failureCodes) {
    const [, file = '', anchor = ''] =
      /^https:\/\/github\.com\/atlasia\/actions\/blob\/v1\/(.+)#(.+)$/.exec(explanation(code)) ?? [];
    assert.ok(existsSync(join(root, file)) && anchorsOf(file).includes(anchor), explanation(code));
  }
});

test('the table of checks in the README of verify-action has exactly those that the code makes', () => {
  const groups = ['setup', 'backups', 'drill', 'deployment'];
  const made = groups.flatMap((group) => {
    // A restore compares by the same code as a drill.
    const files = globSync(`{verify-action,shared}/${group}/*.ts`, { cwd: root });
    const names = files
      .map(read)
      .flatMap((source) => [
        ...Array.from(source.matchAll(/\.(?:check|unable|attempt)\(\s*['`]([a-zA-Z_ -]+)/g), ([, name = '']) => name),
        ...Array.from(source.matchAll(/\.after\(\s*'[^']+',\s*'([^']+)'/g), ([, name = '']) => name),
      ]);
    return names.map((name) => `${group}: ${name}`);
  });
  // What is reached outside is looked at in one loop, by these names.
  const outside = Object.keys({ bucket: null, ping: null, mail: null, webhook: null } satisfies Record<
    keyof Reached,
    null
  >);
  // The database is looked at in whichever of these is checked alone.
  const live = ['backups: database', 'drill: database'];
  const wanted = [...made, ...outside.map((name) => `setup: ${name}`), ...live];
  const rows = tableRows(section(read('verify-action/README.md'), 'The checks'));
  const listed = rows.flatMap(([group, names = '']) => names.split(', ').map((name) => `${group}: ${name}`));
  assert.deepEqual(listed.toSorted(), [...new Set(wanted)].toSorted());
});

test('the names of failures are exactly those that the sources raise', () => {
  const files = globSync('{shared,*-action}/**/*.{ts,sh}', { cwd: root });
  const raised = files.flatMap((file) => codesIn(file, read(file))).filter((code) => code !== 'misfit');
  assert.deepEqual([...new Set(raised)].toSorted(), [...failureCodes].toSorted());
});

function codesIn(file: string, source: string): string[] {
  const pattern = file.endsWith('.sh')
    ? /(?:^|[^\w-])(?:fail|refuse|broken|give_up) ([a-z]+(?:-[a-z]+)*)(?= ["'$]|$)/gm
    : /\b(?:new Failure|failure)\(\s*'([a-z]+(?:-[a-z]+)*)'/g;
  return Array.from(source.matchAll(pattern), ([, code = '']) => code);
}

function judgeMarketplace(action: ActionFile): void {
  assert.match(action.name, /^[\w -]{5,60}$/);
  assert.ok(action.description.length < 125, 'the description must have fewer than 125 characters');
  const colours = ['white', 'yellow', 'blue', 'green', 'orange', 'red', 'purple', 'gray-dark'];
  assert.ok(colours.includes(action.branding.color), `${action.branding.color} is no colour of the Marketplace`);
  // Of Feather's icons, those that are allowed and may be of use here.
  const icons = ['activity', 'archive', 'check-circle', 'database', 'refresh-ccw', 'rotate-ccw', 'save', 'shield'];
  assert.ok(icons.includes(action.branding.icon), `${action.branding.icon} is not among the icons that are known good`);
  assert.equal(action.runs.using, 'node24');
  for (const { description } of [...Object.values(action.inputs), ...Object.values(action.outputs)]) {
    assert.ok(description.length > 10);
  }
}

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

function documents(): string[] {
  return globSync(['*.md', 'docs/*.md', '*-action/README.md', 'examples/README.md'], { cwd: root }).toSorted();
}

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

/** The files that a page links to. */
function linksOf(file: string): string[] {
  return Array.from(read(file).matchAll(/\]\(([^)\s#]+)(?:#[^)\s]*)?\)/g), ([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => relative(root, join(root, dirname(file), link)));
}

/** Why the action cannot use that value; null if it can. What other inputs it needs besides is another matter. */
function refusalOf(action: Action, name: string, value: string): string | null {
  try {
    readInputsOf(action, { ...samples, [name]: value });
    return null;
  } catch (error) {
    const { message } = error as Error;
    // A file is one of the reader's own.
    const isRefused = message.includes(`"${name}" `) && message.includes('(given: ');
    return isRefused && !message.includes('is not a readable file') ? message : null;
  }
}

/** The sentences and tables of a page. */
function withoutFences(markdown: string): string {
  return markdown.replace(/^ *```[\s\S]*?^ *```$/gm, '');
}

/** What is written as code. */
function codeIn(text: string): string[] {
  return Array.from(text.matchAll(/`([^`]+)`/g), ([, code = '']) => code);
}

/** What stands below a heading, to the next one of the same rank. */
function section(markdown: string, title: string): string {
  const [, text] = markdown.split(`\n## ${title}\n`);
  assert.ok(text !== undefined, `there is no section "${title}"`);
  return text.split('\n## ')[0] ?? '';
}

/** The cells of every table's rows, without the heads. */
function tableRows(markdown: string): string[][] {
  const lines = markdown.split('\n');
  return lines
    .filter(
      (line, index) =>
        line.startsWith('|') && !/^\|[\s:|-]+$/.test(line) && !/^\|[\s:|-]+$/.test(lines[index + 1] ?? ''),
    )
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );
}

/** As GitHub makes them from headings. */
function anchorsOf(file: string): string[] {
  return Array.from(read(file).matchAll(/^#+ (.+)$/gm), ([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  );
}

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
