// What action.yml declares, what the code reads and sets, and what the pages list must be the same.
import assert from 'node:assert/strict';
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { optionTables, withOptionTables } from '../../scripts/option-tables.ts';
import { failureCodes } from '../../shared/failure-codes.ts';
import { explanation } from '../../shared/runner/job-summary.ts';
import type { Reached } from '../../verify-action/setup/setup-facts.ts';
import { type ActionFile, actions, read, readInputsOf, root, samples } from './declared-actions.ts';
import { anchorsOf, codeIn, section, tableRows } from './pages.ts';

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
