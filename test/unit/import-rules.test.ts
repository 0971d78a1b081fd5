// Who may know whom: the rules of docs/architecture.md, held over every source file of the actions.
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join, posix } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..', '..');

/** From the top: a folder may import only those below it. `ground` stands for the files right in shared/. */
const order = [
  'action',
  'inputs',
  'runner',
  'transaction',
  'restore',
  'drill',
  'backups',
  'plan',
  'report',
  'offsite',
  'sets',
  'history',
  'releases',
  'notify',
  'postgres',
  'survey',
  'host',
  'ground',
];

/** Small enough to be loaded at every start; any other package is loaded where it is used, by a literal import(). */
const light = ['@actions/core', '@actions/exec', '@actions/http-client'];

/** Packages, and modules of Node's that start processes, by the only folder that may import them. */
const reserved: readonly (readonly [pattern: RegExp, folder: string])[] = [
  [/^@actions\//, 'runner'],
  [/^@aws-sdk\//, 'offsite'],
  [/^node:(child_process|cluster)$/, 'host'],
];

test('the sources keep the import rules', () => {
  const files = globSync('{shared,*-action}/**/*.ts', { cwd: root });
  assert.ok(files.length > 30, `only ${files.length} files were found`);
  const problems = files.flatMap((file) => violations(file, readFileSync(join(root, file), 'utf8')));
  assert.deepEqual(problems, []);
});

test('every folder of the sources has its place in the order', () => {
  const folders = globSync('shared/*/', { cwd: root }).map((folder) => folder.replace(/^shared\/|\/$/g, ''));
  assert.deepEqual(
    folders.filter((folder) => !order.includes(folder)),
    [],
  );
});

test('what is imported exists, and packages are dependencies', () => {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const file of globSync('{shared,*-action}/**/*.ts', { cwd: root })) {
    for (const { name } of importsOf(readFileSync(join(root, file), 'utf8'))) {
      if (name.startsWith('.')) {
        assert.ok(existsSync(join(root, posix.dirname(file), name)), `${file} imports ${name}, which is not there`);
      } else if (!name.startsWith('node:')) {
        const dependency = packageOf(name);
        assert.ok(dependency in dependencies, `${file} imports ${name}, which users would not get`);
      }
    }
  }
});

const refused: [file: string, source: string, problem: RegExp][] = [
  ['shared/clean.ts', `import { x } from './host/ssh.ts';`, /ground may not know host/],
  ['shared/host/ssh.ts', `import { x } from '../postgres/probe.ts';`, /host may not know postgres/],
  ['shared/host/ssh.ts', `import type { X } from '../runner/log.ts';`, /host may not know runner/],
  ['shared/postgres/probe.ts', `import { x } from '../backups/take.ts';`, /postgres may not know backups/],
  ['shared/backups/take.ts', `import {\n  x,\n} from '../runner/log.ts';`, /backups may not know runner/],
  ['shared/releases/release.ts', `export * from '../history/record.ts';`, /releases may not know history/],
  ['shared/sets/tiers.ts', `import { x } from '../report/report.ts';`, /sets may not know report/],
  ['shared/new/x.ts', `import { x } from '../failure.ts';`, /new may not know ground/],
  ['shared/survey/survey.ts', `const x = new URL('../sets/sets.sh', import.meta.url);`, /survey may not know sets/],
  ['shared/backups/take.ts', `import { x } from '../../backup-action/backup.ts';`, /backups may not know action/],
  [
    'backup-action/backup.ts',
    `import { x } from '../verify-action/verify.ts';`,
    /backup-action may not know verify-action/,
  ],
  ['backup-action/backup.ts', `import { x } from '../test/lab/lab.ts';`, /may not know test/],
  ['backup-action/backup.ts', `import * as core from '@actions/core';`, /only runner/],
  ['shared/backups/take.ts', `import { spawn } from 'node:child_process';`, /only host/],
  ['shared/backups/take.ts', `const { spawn } = await import('node:child_process');`, /only host/],
  ['shared/backups/take.ts', `import { spawn } from 'child_process';`, /written as node:/],
  ['shared/host/ssh.ts', `const s3 = await import('@aws-sdk/client-s3');`, /only offsite/],
  ['shared/offsite/s3.ts', `import { S3Client } from '@aws-sdk/client-s3';`, /by a literal import\(\)/],
  ['shared/runner/store.ts', `import { DefaultArtifactClient } from '@actions/artifact';`, /by a literal import\(\)/],
  ['shared/offsite/s3.ts', 'const s3 = await import(`@aws-sdk/client-s3`);', /is not a literal/],
  ['shared/offsite/s3.ts', 'const s3 = await import(name);', /is not a literal/],
  ['shared/host/ssh.ts', `const x = require('node:child_process');`, /require/],
  ['shared/host/ssh.ts', `import { x } from './ssh-config.js';`, /ends in \.ts/],
];
for (const [file, source, problem] of refused) {
  test(`refused in ${file}: ${source.replaceAll('\n', ' ')}`, () => {
    assert.match(violations(file, source).join('\n'), problem);
  });
}

test('accepted: each layer may know those below it, and heavy packages are loaded where they are used', () => {
  const accepted: [string, string][] = [
    ['backup-action/backup.ts', `import { x } from '../shared/runner/log.ts';\nimport { y } from './summary.ts';`],
    ['shared/backups/take.ts', `import type { X } from '../sets/manifest.ts';\nimport { y } from '../failure.ts';`],
    ['shared/offsite/s3.ts', `import type { S3Client } from '@aws-sdk/client-s3';`],
    ['shared/offsite/s3.ts', `const s3 = await import('@aws-sdk/client-s3');`],
    ['shared/runner/store.ts', `// import { x } from '../host/ssh.ts'\nconst a = await import('@actions/artifact');`],
    ['shared/host/ssh.ts', `import { spawn } from 'node:child_process';`],
  ];
  for (const [file, source] of accepted) assert.deepEqual(violations(file, source), []);
});

interface Import {
  name: string;
  /** Loaded where it is used; or not at all, because only types of it are used. */
  dynamic: boolean;
}

/** One line for each rule that the file breaks. */
function violations(file: string, source: string): string[] {
  const code = withoutComments(source);
  const problems = importsOf(source).flatMap(({ name, dynamic }) => judge(file, name, dynamic));
  if (/\bimport\((?!\s*'[^']+'\s*\))/.test(code)) problems.push('what it import()s is not a literal');
  if (/\b(require\(|createRequire\b)/.test(code)) problems.push('it uses require, which the bundler may not follow');
  return problems.map((problem) => `${file}: ${problem}`);
}

function judge(file: string, name: string, dynamic: boolean): string[] {
  const from = folderOf(file);
  if (name.startsWith('.')) {
    const target = posix.join(posix.dirname(file), name);
    const to = folderOf(target);
    const problems = /\.(ts|sh|sql)$/.test(name) ? [] : [`${name} does not end in .ts: an import ends in .ts`];
    const ownAction = file.split('/')[0];
    if (from === 'action' && to === 'action' && !target.startsWith(`${ownAction}/`)) {
      problems.push(`${ownAction} may not know ${target.split('/')[0]}`);
    } else if (to !== from && !isBelow(to, from)) problems.push(`${from} may not know ${to} (${name})`);
    return problems;
  }
  const owner = reserved.find(([pattern]) => pattern.test(name))?.[1];
  if (owner !== undefined && owner !== from) return [`only ${owner} may import ${name}`];
  if (name.startsWith('node:')) return [];
  if (isBuiltin(name)) return [`${name} is not written as node:${name}`];
  return dynamic || light.includes(packageOf(name)) ? [] : [`${name} must be loaded by a literal import()`];
}

/** Also for a folder that the order does not have: it stands nowhere until it is given a place. */
function isBelow(lower: string, upper: string): boolean {
  return order.includes(upper) && order.indexOf(lower) > order.indexOf(upper);
}

function folderOf(file: string): string {
  const [top = '', folder = '', rest] = file.split('/');
  if (top.endsWith('-action')) return 'action';
  if (top !== 'shared') return top;
  return rest === undefined ? 'ground' : folder;
}

function packageOf(name: string): string {
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}

function importsOf(source: string): Import[] {
  const code = withoutComments(source);
  const names = (pattern: RegExp) => Array.from(code.matchAll(pattern), ([, name = '']) => name);
  return [
    ...names(/^(?:import|export)\b(?! type\b)[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm).map((name) => ({
      name,
      dynamic: false,
    })),
    ...names(/^(?:import|export) type\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm).map((name) => ({ name, dynamic: true })),
    ...names(/^import\s*['"]([^'"]+)['"]/gm).map((name) => ({ name, dynamic: false })),
    ...names(/\bimport\(\s*'([^']+)'\s*\)/g).map((name) => ({ name, dynamic: true })),
    // A program's scripts: what is sent from another folder is known as well as what is imported.
    ...names(/\bnew URL\(\s*'([^']+)',\s*import\.meta\.url,?\s*\)/g).map((name) => ({ name, dynamic: false })),
  ];
}

/** Whole lines of comment only: `//` within a line may stand in a string. */
function withoutComments(source: string): string {
  return source.replace(/^\s*\/\*[\s\S]*?\*\//gm, '').replace(/^\s*\/\/.*$/gm, '');
}
