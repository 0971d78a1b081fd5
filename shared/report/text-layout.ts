import { cleanLine } from '../clean.ts';

/** Columns of a report, which has to fit into a terminal. */
const width = 100;

/**
 * One line for each name and its value, the values aligned and folded: `  Size      1.2 GiB`. Names and values may be
 * foreign; they are cleaned here.
 */
export function fields(rows: readonly (readonly [name: string, value: string])[]): string[] {
  const names = rows.map(([name]) => cleanLine(name, 40));
  const indent = Math.max(0, ...names.map((name) => name.length)) + 4;
  return rows.flatMap(([, value], row) => folded(`  ${names[row]}`.padEnd(indent), value));
}

/** A text after a lead such as `  - `, folded with a hanging indent. Words too long for a line are split. */
export function folded(lead: string, text: string): string[] {
  const room = width - lead.length;
  const lines = [''];
  for (const word of cleanLine(text)
    .split(' ')
    .flatMap((long) => pieces(long, room))) {
    const line = lines.at(-1) ?? '';
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= room) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.map((line, index) => `${index === 0 ? lead : ' '.repeat(lead.length)}${line}`.trimEnd());
}

/** One line; if it is too long, its end is cut off. */
export function shortened(lead: string, text: string): string {
  return `${lead}${cleanLine(text, width - lead.length)}`.trimEnd();
}

function pieces(word: string, length: number): string[] {
  return word.match(new RegExp(`.{1,${length}}`, 'gsu')) ?? [word];
}
