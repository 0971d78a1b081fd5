import { appendFile } from 'node:fs/promises';
import { cleanLine, cleanLines, cleanMarkdown, codeFence, markdownCode } from '../clean.ts';
import * as log from './log.ts';

/** A piece of Markdown in which everything foreign is escaped. Only the functions of this file make one. */
export type Block = string & { readonly [escaped]: true };
declare const escaped: unique symbol;

/** Text of a cell is shown as it is; `code` in the font of programs. */
export type Cell = string | number | { code: string };

export type Verdict = 'good' | 'attention' | 'bad';

/** GitHub drops a whole summary above 1 MiB. */
const longestSummary = 900 * 1024;
const longestCode = 64 * 1024;
const mostRows = 500;

const signs: Record<Verdict, string> = { good: '✅', attention: '⚠️', bad: '❌' };

/** The first thing that is read: how it ended. */
export function verdict(kind: Verdict, text: string): Block {
  return block(`## ${signs[kind]} ${cleanMarkdown(text)}`);
}

export function heading(text: string): Block {
  return block(`### ${cleanMarkdown(text)}`);
}

export function paragraph(text: string): Block {
  return block(cleanMarkdown(text));
}

/** Rows beyond 500 are counted, not shown. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): Block {
  const lines = [
    head.map(cleanMarkdown),
    head.map(() => '---'),
    ...rows.slice(0, mostRows).map((row) => row.map(cell)),
  ];
  const rest = rows.length - mostRows;
  return block(lines.map(tableLine).join('\n') + (rest > 0 ? `\n\n… and ${rest} more rows` : ''));
}

/** A block of code, or a picture where `language` is `mermaid`. The middle of a long text is left out. */
export function codeBlock(text: string, language = ''): Block {
  const code = withoutMiddle(cleanLines(text).join('\n'));
  const fence = codeFence(code);
  return block(`${fence}${language}\n${code}\n${fence}`);
}

/** Blocks that are folded away under a title. */
export function details(title: string, blocks: readonly Block[]): Block {
  // The title stands in HTML, where Markdown's escapes do not count.
  const summary = cleanLine(title).replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return block(`<details><summary>${summary}</summary>\n\n${blocks.join('\n\n')}\n\n</details>`);
}

/** The blocks as one text of at most `limit` bytes: those that do not fit are left out, with a note. */
export function renderSummary(blocks: readonly Block[], limit = longestSummary): string {
  const note = '\n_The summary was cut here: it is longer than GitHub shows. The log has it all._\n';
  let text = '';
  for (const each of blocks) {
    if (Buffer.byteLength(text + each + note) + 2 > limit) return text + note;
    text += `${each}\n\n`;
  }
  return text;
}

/** Adds the blocks to the job's summary. That it cannot be written is said in the log and does not fail the run. */
export async function writeSummary(blocks: readonly Block[]): Promise<void> {
  const file = process.env['GITHUB_STEP_SUMMARY'];
  if (!file) return;
  try {
    await appendFile(file, renderSummary(blocks));
  } catch (error) {
    log.info(`The job summary could not be written: ${error}`);
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
