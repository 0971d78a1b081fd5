// Whatever the host prints is hostile until cleaned. The runner looks for workflow commands in everything that a step
// writes: a line that begins with `::` after white space, or that has `##[` anywhere.

/** The longest line of a log, in UTF-16 units. */
export const longestLine = 2_000;

// Terminal control: CSI, then the strings OSC, DCS, SOS, PM and APC, then short escapes. A match never goes past the end
// of a line, so an unfinished sequence cannot hide the lines after it.
const terminalSequences =
  /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b\n\r]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]/g;

/** Whatever begins a new line on a terminal, or in the log of a step. */
export const lineBreaks = /\r\n|[\n\r\v\f\x85\u2028\u2029]/;

// C0 and C1 except the tab, and everything invisible: bidi overrides, zero-width characters, soft hyphens, tags. The
// runner's string comparison ignores such characters, so remove them before looking for `::`.
const unseen = /(?!\t)\p{Cc}|\p{Cf}|\p{Default_Ignorable_Code_Point}/gu;

/**
 * Foreign text as lines that are safe in the log of a step, whatever white space or word of ours comes before them.
 * Ordinary text is unchanged. A trailing line break does not add an empty line.
 */
export function cleanLines(text: string): string[] {
  const lines = text.toWellFormed().replace(terminalSequences, '').split(lineBreaks);
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => shorten(breakCommands(line.replace(unseen, '')), longestLine));
}

/** Foreign text as one safe line of at most `limit` UTF-16 units. */
export function cleanLine(text: string, limit = longestLine): string {
  const line = cleanLines(text)
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .join(' ');
  return shorten(line, limit);
}

/** Foreign text as Markdown that only shows it: no markup, image, HTML or link takes effect. Fits into a table cell. */
export function cleanMarkdown(text: string): string {
  return cleanLine(text)
    .replace(/[\\`*[\]|~#!$]/g, '\\$&')
    .replace(/(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, '\\_')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/:(?=\/\/)/g, '&#58;')
    .replace(/(www)\./gi, '$1&#46;');
}

/** Foreign text as inline code. Fits into a table cell, where a pipe must be escaped even in code. */
export function markdownCode(text: string): string {
  const line = cleanLine(text).replace(/\|/g, '\\|');
  const fence = '`'.repeat(longestRun(line, '`') + 1);
  // Markdown strips the spaces; they keep a backtick at the edge of the text away from the fence.
  return line === '' ? '' : `${fence} ${line} ${fence}`;
}

/** A fence for a code block around `text`, longer than any in the text, so that the text cannot close it. */
export function codeFence(text: string): string {
  return '`'.repeat(Math.max(3, longestRun(text, '`') + 1));
}

function breakCommands(line: string): string {
  return line.replace(/^\s*(?=::)/, '$&\\').replaceAll('##[', '##\\[');
}

function shorten(line: string, limit: number): string {
  // The cut may leave the first half of a surrogate pair behind.
  return line.length <= limit ? line : `${line.slice(0, limit - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

function longestRun(text: string, character: string): number {
  let longest = 0;
  let run = 0;
  for (const each of text) {
    run = each === character ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest;
}
