import { appendFileSync } from 'node:fs';
import { partsOf } from '../advice.ts';
import { cleanLine, cleanLines, cleanMarkdown, codeFence, markdownCode } from '../clean.ts';
import type { FailureCode } from '../failure-codes.ts';
import { workflowContext } from './context.ts';
import * as log from './log.ts';

/** A piece of Markdown in which all foreign text is escaped. Only the functions of this file create one. */
export type Block = string & { readonly [escaped]: true };
declare const escaped: unique symbol;

/** The content of a table cell: shown as text, in a code font, or as text in which commands are in a code font. */
export type Cell = string | number | { code: string } | { advice: string };

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
  return block(prose(text));
}

/** What to do: words as paragraphs, and the commands among them in blocks that can be copied. */
export function advice(text: string): Block[] {
  return text.split('\n').flatMap(adviceLine);
}

/** Where the failure is explained. */
export function explained(code: FailureCode): Block {
  return block(`[What ${markdownCode(code)} means, and what else helps](${explanation(code)})`);
}

/** The page of our documentation that explains a failure. */
export function explanation(code: FailureCode): string {
  return `https://github.com/atlasia/actions/blob/v1/docs/troubleshooting.md#${code}`;
}

/** A link to the form of this run's workflow, under "Run workflow"; the mere words if the run does not say which it is. */
function ownForm(): Block {
  const { workflowUrl } = workflowContext(process.env, {});
  return block(workflowUrl === null ? '**Run workflow**' : `[**Run workflow**](${workflowUrl})`);
}

/** Names the button to press, where a release is not well. */
export function button(): Block {
  const { runsUrl } = workflowContext(process.env, {});
  const actions = runsUrl === null ? '**Actions**' : `[**Actions**](${runsUrl.replace(/\/runs\/$/, '')})`;
  return block(
    `To go back to the last good release: under ${actions}, start the workflow that has rollback-action. With the box ${markdownCode('confirm')} empty, it only shows what it would do.`,
  );
}

/** What to write into which box of a form. */
export function boxes(introduction: string, values: readonly (readonly [box: string, value: string])[]): Block[] {
  return [
    block(`${ownForm()}: ${prose(introduction)}`),
    table(
      ['Box', 'What to write'],
      values.map(([box, value]) => [{ code: box }, { code: value }]),
    ),
  ];
}

/** Facts with their names. The first one takes the place of the head, which GitHub shows even if it is empty. */
export function facts(rows: readonly (readonly [name: string, value: Cell])[]): Block {
  const [first, ...rest] = rows.map(([name, value]) => [cell(name), cell(value)]);
  if (first === undefined) throw new Error('A table of facts without any');
  return block([first, [':---', ':---'], ...rest].map(tableLine).join('\n'));
}

/** Shows at most 500 rows, and how many more there are. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[]): Block {
  if (head.includes('')) throw new Error('A column of a table has no name');
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
export function writeSummary(blocks: readonly Block[]): void {
  isWritten = true;
  const file = process.env['GITHUB_STEP_SUMMARY'];
  if (!file) return;
  try {
    appendFileSync(file, renderSummary(blocks));
  } catch (error) {
    log.info(`Could not write the job summary: ${error}`);
  }
}

let isWritten = false;

/** Whether this step has written one. A failure that came before must write its own. */
export function hasSummary(): boolean {
  return isWritten;
}

function block(markdown: string): Block {
  return markdown as Block;
}

function cell(value: Cell): string {
  if (typeof value !== 'object') return prose(String(value));
  if ('code' in value) return markdownCode(value.code);
  return partsOf(value.advice)
    .map((part) => ('command' in part ? markdownCode(part.command) : prose(part.text, true)))
    .join('');
}

/** Words that only lead from one command to the next. */
const between = /^(; |, then |,? and then )$/;

function adviceLine(line: string): Block[] {
  const blocks: Block[] = [];
  let commands: string[] = [];
  const flush = () => {
    if (commands.length > 0) blocks.push(codeBlock(commands.join('\n'), 'bash'));
    commands = [];
  };
  for (const part of partsOf(line)) {
    if ('command' in part) commands.push(part.command);
    else if (commands.length === 0 || !between.test(part.text)) {
      flush();
      const words = part.text.replace(/^[.,;]? (?=\S)|^\.$/, '').trimEnd();
      if (words !== '') blocks.push(paragraph(words));
    }
  }
  flush();
  return blocks;
}

/** Cleaned text in which addresses of runs of this very repository can be clicked, and no others. */
function prose(text: string, isPart = false): string {
  const { runsUrl } = workflowContext(process.env, {});
  const clean = (words: string) => (isPart ? keepingEnds(words) : cleanMarkdown(words));
  if (runsUrl === null || !text.includes(runsUrl)) return clean(text);
  const parts = cleanLine(text).split(new RegExp(`(${escapedForPattern(runsUrl)}\\d+(?:/attempts/\\d+)?)(?![\\w/])`));
  return parts.map((part, index) => (index % 2 === 1 ? `<${part}>` : keepingEnds(part))).join('');
}

/** Cleaning trims, but these are parts of a sentence. */
function keepingEnds(text: string): string {
  const [, before = '', words = '', after = ''] = /^(\s*)([\s\S]*?)(\s*)$/.exec(text) ?? [];
  return `${before === '' ? '' : ' '}${cleanMarkdown(words)}${after === '' ? '' : ' '}`;
}

function escapedForPattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

function tableLine(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

function withoutMiddle(code: string): string {
  if (code.length <= longestCode) return code;
  const half = longestCode / 2;
  return `${code.slice(0, half).toWellFormed()}\n…\n${code.slice(-half).toWellFormed()}`;
}
