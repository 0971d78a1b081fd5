/**
 * Texts of dumps without the secrets that a schema may hold: values of password-like options, of foreign servers' user mappings
 * and others; and connection strings of subscriptions. A dump lists them in SQL that anybody may read who reads a report.
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
      .replace(option, (_, before: string, value: string) => `${before}'${hidden(value)}'`)
      .replace(inConnectionString, (_, before: string, value: string) => `${before}${hidden(value)}`)
      .replace(inUrl, (_, before: string, value: string, at: string) => `${before}${hidden(value)}${at}`);
  return texts.map(hide) as { [At in keyof Texts]: string };
}

/** A literal as pg_dump writes it: quotes are doubled, and it may go on over lines. */
const literal = "E?'((?:[^']|'')*)'";

/**
 * What options, and keys of connection strings, are called that hold a secret or lead to one. Bounded, so that no text that was
 * made for it keeps us busy.
 */
const secretName =
  '[\\w.-]{0,60}(?:pass(?:word|wd|file|phrase|code)?|pwd|secret|token|credentials?|ssl_?key|(?:private|access|api|account|auth)[_-]?key|sas)[\\w.-]{0,60}';

/** CREATE SUBSCRIPTION … CONNECTION '…' */
const connection = new RegExp(`(\\bCONNECTION\\s+)${literal}`, 'g');
/** An option of CREATE SERVER, USER MAPPING, FOREIGN TABLE and the like: a name and its value. */
const option = new RegExp(`("?\\b${secretName}"?\\s+)${literal}`, 'gi');
/** `password=…` within a text, as functions give it to dblink. */
const inConnectionString = new RegExp(`(\\b${secretName}=)('{1,2}[^']*'{1,2}|[^\\s'"&;,()]+)`, 'gi');
const inUrl = /(\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s:/@'"]{0,100}:)([^\s@'"]{1,300})(@)/gi;
