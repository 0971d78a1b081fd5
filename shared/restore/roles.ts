import { identifier } from '../postgres/relation-name.ts';

/** Roles that the server lacks. */
export interface MissingRoles {
  names: string[];
  /** Creates them as they were in the source, without passwords, for psql; empty if none is missing. */
  statements: string;
}

const name = '("(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)';
const creation = new RegExp(`^CREATE ROLE ${name};$`);
const attributes = new RegExp(
  `^ALTER ROLE ${name} WITH ([A-Z ]+(?:CONNECTION LIMIT \\d+)?(?: VALID UNTIL '[^'\\\\]*')?);$`,
);
/** pg_dumpall writes `E'…'` where there is a backslash, and each of those twice. */
const value = `(?:'(?:[^'\\\\]|'')*'| ?E'(?:[^'\\\\]|''|\\\\\\\\)*'|[\\w.]+)`;
const variable = '"?[\\w.]+"?';
const setting = new RegExp(`^ALTER ROLE ${name} SET ${variable} TO ${value}(?:, ${value})*;$`);
const comment = new RegExp(`^COMMENT ON ROLE ${name} IS ${value};$`);
/** From version 16 on, a membership says whether it is inherited, and whether SET ROLE is allowed. */
const option = '(?:ADMIN OPTION|(?:ADMIN|INHERIT|SET) (?:TRUE|FALSE))';
const membership = new RegExp(`^GRANT ${name} TO ${name}( WITH ${option}(?:, ${option})*)?(?: GRANTED BY ${name})?;$`);
const parameter = new RegExp(
  `^GRANT (?:ALL|SET|ALTER SYSTEM) ON PARAMETER ${variable} TO ${name}(?: WITH GRANT OPTION)?;$`,
);

/**
 * What of a source's roles has to be created. Nothing that exists is changed.
 * @param globals as pg_dumpall writes them; null if the backup could not take them
 * @param present the roles that the server has
 */
export function missingRoles(globals: string | null, present: readonly string[]): MissingRoles {
  const here = new Set(present);
  const lines = wholeLines(globals ?? '');
  const missing = new Set(
    lines.flatMap((line) => creation.exec(line)?.[1] ?? []).filter((role) => !here.has(unquoted(role))),
  );
  const wanted = lines.flatMap((line) => {
    const [, role = ''] =
      [creation, attributes, setting, comment, parameter].map((each) => each.exec(line)).find((found) => found) ?? [];
    if (missing.has(role)) return [line];
    const [, group = '', member = '', options = ''] = grantOf(line);
    // A role that exists gets no rights by a restore.
    return missing.has(member) ? [`GRANT ${group} TO ${member}${options};`] : [];
  });
  return { names: [...missing].map(unquoted), statements: missing.size === 0 ? '' : `${wanted.join('\n')}\n` };
}

/** Without those that begin or end between quotes, and without headings, which quote names without care. */
const wholeLines = (text: string): string[] => linesOf(text).flatMap(({ line, isWhole }) => (isWhole ? [line] : []));

/**
 * The lines that begin outside of quotes, and whether they also end there: a name, a setting or a comment with a line break could
 * hold what looks like a statement, and any role may write that into its own settings.
 */
function linesOf(text: string): { line: string; at: number; isWhole: boolean }[] {
  let open = '';
  let next = 0;
  return text.split('\n').flatMap((line) => {
    const [begins, at] = [open === '', next];
    next += line.length + 1;
    if (begins && line.startsWith('--')) return [];
    // A quote that is doubled closes and opens again; none is escaped by a backslash.
    for (const [quote] of line.matchAll(/['"]/g)) {
      if (open === '') open = quote;
      else if (open === quote) open = '';
    }
    return begins ? [{ line, at, isWhole: open === '' }] : [];
  });
}

/** Without the grantor, who may be missing as well. */
function grantOf(line: string): string[] {
  const [, group = '', member = '', options = ''] = membership.exec(line) ?? [];
  return ['', group, member, options];
}

const unquoted = (role: string) => (role.startsWith('"') ? role.slice(1, -1).replaceAll('""', '"') : role);

/**
 * A set's settings of its database, for a database of another name.
 * @param text as the settings of a set are written: statements that name the database
 */
export function settingsFor(text: string, from: string, to: string): string {
  const named = [identifier(from), from].map(escaped).join('|');
  const statement = new RegExp(
    `^((?:ALTER (?:ROLE ${name} IN )?|REVOKE ALL ON |GRANT [A-Z, ]+ ON |COMMENT ON )DATABASE )(?:${named})(?= )`,
    'gm',
  );
  const starts = new Set(linesOf(text).map(({ at }) => at));
  return text.replaceAll(statement, (found, before: string, _role, at: number) =>
    starts.has(at) ? `${before}${identifier(to)}` : found,
  );
}

/**
 * The limit of connections in what `settingsFor` gives; -1: none. Until the database is live, another one holds.
 * @param database the name that the settings are for
 */
export function connectionLimitIn(settings: string, database: string): number {
  const statement = new RegExp(`^ALTER DATABASE ${escaped(identifier(database))} CONNECTION LIMIT (\\d{1,9});$`, 'gm');
  const starts = new Set(linesOf(settings).map(({ at }) => at));
  const [found] = [...settings.matchAll(statement)].filter(({ index }) => starts.has(index));
  return Number(found?.[1] ?? -1);
}

const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
