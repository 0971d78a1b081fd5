import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Program } from '../shared/host/program.ts';
import { scriptOf } from '../shared/host/run-program.ts';
import { drillScript, factsScripts, insideScript } from '../shared/postgres/scripts.ts';
import { engineScript } from '../shared/transaction/start-transaction.ts';

/** Something that runs on hosts because the actions send it. */
export interface HostCode {
  sha256: string;
  /** A program; code that a program gets as a parameter; or the engine of transactions. */
  kind: 'program' | 'text' | 'engine';
  name: string;
  /** The actions that send it: `backup`. */
  actions: string[];
}

/**
 * All that the actions send to hosts to run there, hashed to the byte as it arrives: what bash evaluates, without the count in
 * front of it.
 */
export async function hostCode(root: string): Promise<HostCode[]> {
  const actions = globSync('*-action/main.ts', { cwd: root }).toSorted();
  const reached = actions.map((main) => ({
    action: main.replace('-action/main.ts', ''),
    modules: modulesFrom(root, main),
  }));
  const sending = (module: string) => reached.filter(({ modules }) => modules.has(module)).map(({ action }) => action);
  const files = globSync('{shared,*-action}/**/*.ts', { cwd: root }).toSorted();
  const programs = await Promise.all(
    files
      .filter((file) => /^export const \w+: Program</m.test(readFileSync(join(root, file), 'utf8')))
      .map(async (file) => {
        const exported = Object.values(await import(pathToFileURL(join(root, file)).href)).filter(isProgram);
        return exported.map((program) => entry('program', program.name, scriptOf(program), sending(file)));
      }),
  );
  const all = reached.map(({ action }) => action);
  const texts = { inside: insideScript(), 'drill-inside': drillScript(), ...factsScripts() };
  return [
    ...programs.flat().toSorted((one, other) => (one.name < other.name ? -1 : 1)),
    // A program gets them without the line breaks at their end only if it is told so: they are hashed as they are given.
    ...Object.entries(texts).map(([name, text]) => entry('text', name, text, all)),
    entry('engine', 'engine', engineScript(), all),
  ];
}

/** The list as the gate on a host reads it. */
export function listOf(code: readonly HostCode[], version: string): string {
  const lines = code.map(({ sha256, kind, name, actions }) => `${sha256} ${kind} ${name} ${actions.join(',')}\n`);
  return `# What the actions of v${version} run on a host: SHA-256, kind, name, and the actions that send it.\n${lines.join('')}`;
}

function entry(kind: HostCode['kind'], name: string, content: string | Buffer, actions: string[]): HostCode {
  return { sha256: createHash('sha256').update(content).digest('hex'), kind, name, actions };
}

function isProgram(value: unknown): value is Program {
  return typeof value === 'object' && value !== null && 'name' in value && 'step' in value && 'scripts' in value;
}

/** The modules of ours that a module loads, at once or later. */
function modulesFrom(root: string, module: string, found = new Set<string>()): Set<string> {
  if (found.has(module)) return found;
  found.add(module);
  const source = readFileSync(join(root, module), 'utf8');
  for (const [, path = ''] of source.matchAll(/\b(?:from|import\()\s*'(\.[^']+\.ts)'/g)) {
    modulesFrom(root, posix.join(posix.dirname(module), path), found);
  }
  return found;
}
