import { Failure } from './failure.ts';

const bare = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** Characters that do not show: controls, bidi overrides, zero-width characters, separators, unassigned code points. */
const invisible = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

/** Would be a workflow command; our log breaks it up. A command that is printed for copying must not contain it. */
const workflowCommand = /::|##\[/;

/**
 * Quotes a text as one argument for bash: not at all if that is safe, else in single quotes, or in bash's `$'…'` if it
 * has characters that cannot be seen or copied. The result is one line.
 *
 * @throws Failure `unquotable` for text with a NUL, which no argument can hold
 */
export function quoteForShell(text: string): string {
  if (text.includes('\0')) throw new Failure('unquotable', 'A text with a NUL byte cannot be passed to a command');
  if (invisible.test(text) || workflowCommand.test(text)) return `$'${[...text].map(inDollarQuotes).join('')}'`;
  return bare.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Bytes instead of \u, whose meaning depends on the shell's locale. `!` too: bash may expand it from its history. */
function inDollarQuotes(character: string): string {
  if (character === "'" || character === '\\') return `\\${character}`;
  if (!invisible.test(character) && !'#:!'.includes(character)) return character;
  return [...new TextEncoder().encode(character)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
}
