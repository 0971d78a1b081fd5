import { Failure } from './failure.ts';

const bare = /^[A-Za-z0-9_@%+=:,./-]+$/;

/** What is not seen as it is: controls, bidi overrides, zero-width characters, separators, unassigned code points. */
const invisible = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;

/** What a log breaks up since the runner would obey it: it must not stand in a command that is printed to be copied. */
const workflowCommand = /::|##\[/;

/**
 * One argument for bash that is exactly this text: bare where that is safe, else in single quotes, else (where it holds
 * what cannot be seen or copied) in bash's `$'…'`. The result is one line.
 *
 * @throws Failure `unquotable` for text that holds a NUL, which no argument can
 */
export function quoteForShell(text: string): string {
  if (text.includes('\0')) throw new Failure('unquotable', 'A text with a NUL cannot be given to a command');
  if (invisible.test(text) || workflowCommand.test(text)) return `$'${[...text].map(inDollarQuotes).join('')}'`;
  return bare.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** Bytes rather than \u, whose meaning depends on the shell's locale. `!` as bash may look for it in its history. */
function inDollarQuotes(character: string): string {
  if (character === "'" || character === '\\') return `\\${character}`;
  if (!invisible.test(character) && !'#:!'.includes(character)) return character;
  return [...new TextEncoder().encode(character)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
}
