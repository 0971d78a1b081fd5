// Reads the pages: which there are, and what is in them.
import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { read, root } from './declared-actions.ts';

/** Every page that people read. */
export function documents(): string[] {
  return globSync(['*.md', 'docs/*.md', '*-action/README.md', 'examples/README.md'], { cwd: root }).toSorted();
}

/** The files that a page links to. */
export function linksOf(file: string): string[] {
  return Array.from(read(file).matchAll(/\]\(([^)\s#]+)(?:#[^)\s]*)?\)/g), ([, link = '']) => link)
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => relative(root, join(root, dirname(file), link)));
}

/** The sentences and tables of a page. */
export function withoutFences(markdown: string): string {
  return markdown.replace(/^ *```[\s\S]*?^ *```$/gm, '');
}

/** What is written as code. */
export function codeIn(text: string): string[] {
  return Array.from(text.matchAll(/`([^`]+)`/g), ([, code = '']) => code);
}

/** What stands below a heading, to the next one of the same rank. */
export function section(markdown: string, title: string): string {
  const [, text] = markdown.split(`\n## ${title}\n`);
  assert.ok(text !== undefined, `there is no section "${title}"`);
  return text.split('\n## ')[0] ?? '';
}

/** The cells of every table's rows, without the heads. */
export function tableRows(markdown: string): string[][] {
  const lines = markdown.split('\n');
  return lines
    .filter(
      (line, index) =>
        line.startsWith('|') && !/^\|[\s:|-]+$/.test(line) && !/^\|[\s:|-]+$/.test(lines[index + 1] ?? ''),
    )
    .map((line) =>
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );
}

/** As GitHub makes them from headings. */
export function anchorsOf(file: string): string[] {
  return Array.from(read(file).matchAll(/^#+ (.+)$/gm), ([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  );
}
