/**
 * Texts of dumps without the secrets that a schema may hold, as far as they can be recognized: values that follow a name like that
 * of a password (options of user mappings and others, settings, defaults, arguments, JSON), tokens in headers, and connection
 * strings. A dump lists them in SQL that anybody may read who reads a report. More may be hidden than is secret.
 * The same value gets the same number in all of the texts, so that a change can still be seen.
 */
export function hideSecrets<const Texts extends readonly string[]>(...texts: Texts): { [At in keyof Texts]: string } {
  const numbers = new Map<string, number>();
  const hidden = (value: string) => {
    const number = numbers.get(value) ?? numbers.size + 1;
    numbers.set(value, number);
    return `(hidden ${number})`;
  };
  const hide = (text: string) =>
    text
      .replace(connection, (_, before: string, value: string) => `${before}'${hidden(value)}'`)
      .replace(inHeader, (_, before: string, value: string) => `${before}${hidden(value)}`)
      .replace(namedWithin, (_, before: string, value: string) => `${before}${hidden(value)}`)
      .replace(named, (_, before: string, value: string) => `${before}'${hidden(value)}'`)
      .replace(inJson, (_, before: string, value: string) => `${before}"${hidden(value)}"`)
      .replace(inConnectionString, (_, before: string, value: string) => `${before}${hidden(value)}`)
      .replace(inUrl, (_, before: string, value: string, at: string) => `${before}${hidden(value)}${at}`);
  return texts.map(hide) as { [At in keyof Texts]: string };
}

/** A literal as pg_dump writes it: quotes are doubled, and it may go on over lines. A text may have been cut off within. */
const literal = "E?'(?!\\(hidden \\d+\\)')((?:[^']|'')*)(?:'|$)";

/**
 * What options, settings, columns and keys of connection strings are called that hold a secret or lead to one. Bounded, so that
 * no text that was made for it keeps us busy.
 */
const secretName =
  '(?:[\\w.-]{0,60}(?:pass(?:word|wd|file|phrase|code)?|pwd|secret|token|credentials?|authorization|(?:ssl|private|access|api|account|auth|sa|service|signing|encryption|master|jwt|shared)[_-]?key|sas)[\\w.-]{0,60}|(?:[\\w.-]{0,60}[_.-])?pw)';

/** CREATE SUBSCRIPTION … CONNECTION '…' */
const connection = new RegExp(`(\\bCONNECTION\\s+)${literal}`, 'g');
/** What stands between a name and its value: an option's blank, a setting's TO, a column's type, the signs of an argument. */
const between = '(?:\\s*(?::=|=>|=|,)\\s*|\\s+TO\\s+|\\s+(?:[\\w().," ]{0,60}\\s)?DEFAULT\\s+|\\s+)';
const named = new RegExp(`(\\b${secretName}["']?${between})${literal}`, 'gi');
/** The same within a literal, where quotes are doubled. */
const namedWithin = new RegExp(`(\\b${secretName}["']{0,2}${between})''(?=[^\\s,;)'])([^']*)(?:''|$)`, 'gi');
const inJson = new RegExp(`(\\b${secretName}"\\s*:\\s*)"(?!\\(hidden \\d+\\)")((?:[^"\\\\]|\\\\.)*)(?:"|$)`, 'gi');
const inHeader = /(\b(?:bearer|basic)\s+)([\w.~+/=-]{8,4000})/gi;
/** `password=…` within a text, as functions give it to dblink; with blanks, it may also be a comparison of columns or calls. */
const noValue = '(?!>|=|(?:new|old|excluded)\\.|\\$|null\\b|[\\w.$"]{0,130}\\s*\\(|\'?\\(hidden)';
const inConnectionString = new RegExp(
  `(\\b${secretName}\\s*=\\s*)${noValue}('{1,2}[^']*'{1,2}|\\{[^}]*(?:\\}|$)|[^\\s'"&;,()]+)`,
  'gi',
);
const inUrl = /(\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s:/@'"]{0,100}:)([^\s@'"]{1,300})(@)/gi;
