// The three actions as action.yml declares them, with the code that reads their inputs and sets their outputs.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { readBackupInputs } from '../../backup-action/inputs.ts';
import { noOutputs as noBackupOutputs } from '../../backup-action/outputs.ts';
import { readRollbackInputs } from '../../rollback-action/inputs.ts';
import { noOutputs as noRollbackOutputs } from '../../rollback-action/outputs.ts';
import { readVerifyInputs } from '../../verify-action/inputs.ts';
import { noOutputs as noVerifyOutputs } from '../../verify-action/outputs.ts';

export const root = join(import.meta.dirname, '..', '..');
export const read = (file: string) => readFileSync(join(root, file), 'utf8');

export interface ActionFile {
  name: string;
  description: string;
  author: string;
  branding: { icon: string; color: string };
  inputs: Record<string, { description: string; required?: boolean; default?: string }>;
  outputs: Record<string, { description: string }>;
  runs: { using: string; main: string; post: string };
}

export interface Action {
  folder: string;
  file: ActionFile;
  readme: string;
  readInputs: () => unknown;
  outputs: () => object;
}

export const actions: Action[] = [
  actionIn('backup-action', readBackupInputs, noBackupOutputs),
  actionIn('rollback-action', readRollbackInputs, noRollbackOutputs),
  actionIn('verify-action', readVerifyInputs, noVerifyOutputs),
];

function actionIn(folder: string, readInputs: () => unknown, outputs: () => object): Action {
  const file = parse(read(`${folder}/action.yml`)) as ActionFile;
  return { folder, file, readme: read(`${folder}/README.md`), readInputs, outputs };
}

/** A value for each input that has no default, as the code takes it. */
export const samples: Record<string, string> = {
  host: 'db1.example.org',
  'ssh-key': '-----BEGIN PRIVATE KEY----- of a test',
  'known-hosts': 'db1.example.org ssh-ed25519 AAAA',
  confirm: 'ROLLBACK',
};

/** Reads as the action does where the workflow gives these inputs and no others. */
export function readInputsOf({ readInputs }: Action, given: Record<string, string>) {
  forget();
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

/** Why the action cannot use that value; null if it can. What other inputs it needs besides is another matter. */
export function refusalOf(action: Action, name: string, value: string): string | null {
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
