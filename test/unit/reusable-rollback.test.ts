// Which login the button's reusable workflow takes to which registry: the run's own is worth nothing elsewhere, and must not be sent there.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { github } from '../lab/runner/step.ts';
import { runWorkflow } from '../lab/workflow/workflow.ts';

const root = join(import.meta.dirname, '..', '..');
const workflow = readFileSync(join(root, '.github/workflows/rollback.yml'), 'utf8');
const empty = (context: string) =>
  Object.fromEntries(
    Array.from(workflow.matchAll(new RegExp(`\\b${context}\\.([A-Z_]+)`, 'g')), ([, name]) => [name, '']),
  );

const registry = '# registry: docker.io';
const username = '# registry-username: octocat';
const uncommented = (line: string) => ({ [line]: line.slice(2) });

const cases: [what: string, instead: Record<string, string>, secret: string, login: string[]][] = [
  ['as it stands', {}, '', ['ghcr.io', github.actor, 'of the run']],
  ['as it stands, with a password of another registry', {}, 'secret', ['ghcr.io', github.actor, 'of the run']],
  ['with an empty registry', { [registry]: "registry: ''" }, '', ['', github.actor, 'of the run']],
  ['with public images elsewhere', uncommented(registry), '', ['docker.io', '', '']],
  [
    'with private images elsewhere',
    { ...uncommented(registry), ...uncommented(username) },
    'secret',
    ['docker.io', 'octocat', 'secret'],
  ],
  [
    'without the secret that it needs',
    { ...uncommented(registry), ...uncommented(username) },
    '',
    ['docker.io', 'octocat', ''],
  ],
  ['without the secret that its own login at ghcr.io needs', uncommented(username), '', ['ghcr.io', 'octocat', '']],
  ['with a login of one’s own at ghcr.io', uncommented(username), 'secret', ['ghcr.io', 'octocat', 'secret']],
];

for (const [what, instead, secret, login] of cases) {
  test(`examples/short/rollback.yml logs in ${what}`, async () => {
    const seen: Record<string, string>[] = [];
    await runWorkflow('examples/short/rollback.yml', {
      environments: { prod: { secrets: { ...empty('secrets'), REGISTRY_PASSWORD: secret }, vars: empty('vars') } },
      token: 'of the run',
      instead,
      runStep: async (_, inputs) => {
        seen.push(inputs);
        return { exitCode: 0, outputs: {}, stdout: '', stderr: '', summary: '' } as never;
      },
    });
    assert.deepEqual(
      seen.map((inputs) => ['registry', 'registry-username', 'registry-password'].map((name) => inputs[name])),
      [login],
    );
  });
}
