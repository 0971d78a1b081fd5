import { appendFile } from 'node:fs/promises';
import { cleanLine, cleanLines, cleanMarkdown, codeFence, markdownCode } from '../clean.ts';
import * as log from './log.ts';

/** A piece of Markdown in which all foreign text is escaped. Only the functions of this file create one. */
export type Block = string & { readonly [escaped]: true };
declare const escaped: unique symbol;

/** The content of a table cell: shown as text, or in a code font. */
export type Cell = string | number | { code: string };

export type Verdict = 'good' | 'attention' | 'bad';

/** GitHub drops a summary of more than 1 MiB entirely. */
const longestSummary = 900 * 1024;
const longestCode = 64 * 1024;
const mostRows = 500;

const signs: Record<Verdict, string> = { good: '✅', attention: '⚠️', bad: '❌' };

/** The headline: how the run ended. */
export function verdict(kind: Verdict, text: string): Block {
  return block(`## ${signs[kind]} ${cleanMarkdown(text)}`);
}

export function heading(text: string): Block {
  return block(`### ${cleanMarkdown(text)}`);
}

export function paragraph(text: string): Block {
  return block(cleanMarkdown(text));
}

/** Shows at most 500 rows, and how many more there are. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): Block {
  const lines = [
    head.map(cleanMarkdown),
    head.map(() => '---'),
    ...rows.slice(0, mostRows).map((row) => row.map(cell)),
  ];
  const rest = rows.length - mostRows;
  return block(lines.map(tableLine).join('\n') + (rest > 0 ? `\n\n… and ${rest} more rows` : ''));
}

/** A block of code, or a diagram if `language` is `mermaid`. Leaves out the middle of a long text. */
export function codeBlock(text: string, language = ''): Block {
  const code = withoutMiddle(cleanLines(text).join('\n'));
  const fence = codeFence(code);
  return block(`${fence}${language}\n${code}\n${fence}`);
}

/** Blocks folded away under a title. */
export function details(title: string, blocks: readonly Block[]): Block {
  // The title is inside HTML, where Markdown's escapes have no effect.
  const summary = cleanLine(title).replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return block(`<details><summary>${summary}</summary>\n\n${blocks.join('\n\n')}\n\n</details>`);
}

/** The blocks as one text of at most `limit` bytes. Ends with a note if some did not fit. */
export function renderSummary(blocks: readonly Block[], limit = longestSummary): string {
  const note = '\n_The summary ends here because it is longer than GitHub allows. The log is complete._\n';
  let text = '';
  for (const each of blocks) {
    if (Buffer.byteLength(text + each + note) + 2 > limit) return text + note;
    text += `${each}\n\n`;
  }
  return text;
}

/** Adds the blocks to the job summary. If it cannot be written, the log says so; that does not fail the run. */
export async function writeSummary(blocks: readonly Block[]): Promise<void> {
  const file = process.env['GITHUB_STEP_SUMMARY'];
  if (!file) return;
  try {
    await appendFile(file, renderSummary(blocks));
  } catch (error) {
    log.info(`Could not write the job summary: ${error}`);
  }
}

function block(markdown: string): Block {
  return markdown as Block;
}

function cell(value: Cell): string {
  return typeof value === 'object' ? markdownCode(value.code) : cleanMarkdown(String(value));
}

function tableLine(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function withoutMiddle(code: string): string {
  if (code.length <= longestCode) return code;
  const half = longestCode / 2;
  return `${code.slice(0, half).toWellFormed()}\n…\n${code.slice(-half).toWellFormed()}`;
}
