// Lines of shell that an operator pastes.
import { quoteForShell } from '../shell-quote.ts';

const foldAt = 92;

/** The words of one command. */
export type Stage = readonly string[];

/** In a subshell, so that an error does not end the operator's shell. */
export function strictly(commands: readonly string[]): string {
  return `( set -e -o pipefail\n${commands.map(indented).join('\n')}\n)`;
}

export function pipeline(...stages: readonly Stage[]): string {
  return stages.map((stage, index) => (index === 0 ? command(stage) : indented(command(stage)))).join(' |\n');
}

export function indented(lines: string): string {
  return lines.replaceAll(/^/gm, '  ');
}

/** Quoted words contain no line breaks, so a line can be folded between any two of them. */
export function command(words: Stage): string {
  const lines: string[] = [];
  for (const word of words.map(quoteWord)) {
    const last = lines.at(-1);
    if (last === undefined) lines.push(word);
    else if (last.length + 1 + word.length <= foldAt) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`    ${word}`);
  }
  return lines.join(' \\\n');
}

/** `--option='a value'` means the same as `'--option=a value'`, and reads better. */
function quoteWord(word: string): string {
  const [option = ''] = /^--[a-z-]+=/.exec(word) ?? [];
  return option + quoteForShell(word.slice(option.length));
}
