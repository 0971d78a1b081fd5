import { cleanLine } from '../clean.ts';

/** Columns of a report: it must be readable in a terminal at night. */
const width = 100;

/**
 * One value per line behind its name, the values aligned and folded: `  Size      1.2 GiB`. Values may be foreign;
 * they are cleaned here. Names are ours, or cleaned the same way.
 */
export function fields(rows: readonly (readonly [name: string, value: string])[]): string[] {
  const names = rows.map(([name]) => cleanLine(name, 40));
  const indent = Math.max(0, ...names.map((name) => name.length)) + 4;
  return rows.flatMap(([, value], row) => folded(`  ${names[row]}`.padEnd(indent), value));
}

/** A text after a lead such as `  - `, folded below its own beginning. Words too long for a line are cut. */
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

/** One line, its end left out where it is too long. */
export function shortened(lead: string, text: string): string {
  return `${lead}${cleanLine(text, width - lead.length)}`.trimEnd();
}

function pieces(word: string, length: number): string[] {
  return word.match(new RegExp(`.{1,${length}}`, 'gsu')) ?? [word];
}
