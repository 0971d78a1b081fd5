import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';

/** What the runner takes from an action.yml. */
export interface ActionFile {
  /** Absolute. */
  main: string;
  post: string | undefined;
  inputs: Readonly<Record<string, { default?: unknown }>>;
}

/** Reads the action.yml in a folder; the runner of today runs nothing else than `node24`. */
export function readActionFile(folder: string): ActionFile {
  const file = join(folder, 'action.yml');
  const { inputs, runs } = parse(readFileSync(file, 'utf8'));
  if (runs?.using !== 'node24') throw new Error(`${file} runs under ${runs?.using}, not under node24`);
  return {
    main: resolve(dirname(file), runs.main),
    post: runs.post === undefined ? undefined : resolve(dirname(file), runs.post),
    inputs: inputs ?? {},
  };
}

/** The environment variable in which an action finds an input: upper case, and only spaces are replaced. */
function inputVariable(name: string): string {
  return `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`;
}

/** What every declared input is: as given, else the default, in which `${{ github.x }}` is looked up. */
export function inputVariables(
  { inputs }: ActionFile,
  given: Readonly<Record<string, string>>,
  github: Readonly<Record<string, string>>,
): Record<string, string> {
  const unknown = Object.keys(given).filter((name) => !(name in inputs));
  if (unknown.length > 0) throw new Error(`The action declares no input ${unknown.join(', ')}`);
  const values = Object.entries(inputs).map(([name, input]) => {
    const value = given[name] ?? evaluate(String(input?.default ?? ''), github);
    return [inputVariable(name), value] as const;
  });
  return Object.fromEntries(values);
}

function evaluate(text: string, github: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{\{\s*github\.(\w+)\s*\}\}/g, (_, name: string) => github[name] ?? '');
}
