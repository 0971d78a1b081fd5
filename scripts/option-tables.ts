import { parse } from 'yaml';

/** What a README shows of an action's inputs and outputs. */
export interface OptionTables {
  inputs: string;
  outputs: string;
}

interface Declared {
  inputs: Record<string, { description: string; required?: boolean; default?: string }>;
  outputs: Record<string, { description: string }>;
}

const sources = 'https://github.com/atlasia/actions/blob/main/';

/**
 * The tables in the README of an action, from its action.yml. Links are absolute there, since editors show the descriptions; in
 * the README they lead to files beside it. What stands behind "Default:" gets a column of its own, as does "Required unless".
 */
export function optionTables(folder: string, actionFile: string): OptionTables {
  const { inputs, outputs } = parse(actionFile) as Declared;
  const text = (description: string) =>
    description
      .replaceAll(`(${sources}${folder}/README.md#`, '(#')
      .replaceAll(`(${sources}`, '(../')
      .replaceAll('|', '\\|');
  const inputRows = Object.entries(inputs).map(([name, { description, required, default: fixed }]) => {
    const [, meaning = description, kind, words = ''] =
      /^(.*\S) (Default:|Required(?= unless)) (.+)\.$/s.exec(description) ?? [];
    const otherwise = kind === undefined ? 'none' : kind === 'Required' ? `required ${words}` : words;
    const column = fixed !== undefined ? `\`${fixed}\`` : required === true ? 'required' : otherwise;
    return [`\`${name}\``, text(column), text(fixed === undefined ? meaning : description)];
  });
  const outputRows = Object.entries(outputs).map(([name, { description }]) => [`\`${name}\``, text(description)]);
  return {
    inputs: table(['input', 'default', 'meaning'], inputRows),
    outputs: table(['output', 'meaning'], outputRows),
  };
}

/** The README with the tables in it, in place of those under its headings. */
export function withOptionTables(readme: string, { inputs, outputs }: OptionTables): string {
  return replaced(replaced(readme, 'Inputs', inputs), 'Outputs', outputs);
}

function replaced(readme: string, heading: string, fresh: string): string {
  const place = new RegExp(`(\\n## ${heading}\\n(?:(?!\\n## )[^])*?\\n)\\|[^]*?\\n(?=\\n)`);
  if (!place.test(readme)) throw new Error(`The README has no table under "${heading}"`);
  return readme.replace(place, (_, before: string) => before + fresh);
}

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
