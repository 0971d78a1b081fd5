import { readFileSync } from 'node:fs';

// Scripts for the database container and SQL for the server; the programs on the host get them as parameters.

const inside = () =>
  [
    readFileSync(new URL('./reach-server.sh', import.meta.url), 'utf8'),
    readFileSync(new URL('./inside.sh', import.meta.url), 'utf8'),
  ].join('\n');
const load = () => readFileSync(new URL('./load-inside.sh', import.meta.url), 'utf8');

/** A script that runs the function that its first argument names. */
const program = (...parts: readonly string[]): string => `${parts.join('\n')}\n"$@"\n`;

/** The script for the container: `probe`, `session`, `dump`, `schema`, `globals`, `settings`, `parse`, `terminate`, `waits`. */
export const insideScript = () => program(inside());

/**
 * The same for a restore next to the live database: also `standing`, `missing`, `create_missing`, `drop_created`, `create`, `take_settings`, `mark`,
 * `fill`, `subscriptions`, `analyze`, `after`, `sweep`, `discard`, `exchange`, `exchange_back`.
 */
export const replaceScript = () =>
  program(inside(), load(), readFileSync(new URL('./replace-inside.sh', import.meta.url), 'utf8'));

/**
 * Statements that read facts about a database. Each answer is a line: a name, a space, a value or JSON. Two sessions of psql: one
 * opens the snapshot with `before` and keeps it open until `after`, the other one counts and hashes in it. They need `lock_wait`.
 */
export const factsScripts = (): FactsScripts => {
  const read = (url: URL) => readFileSync(url, 'utf8');
  // A URL for each: the bundler only includes files that are named literally.
  const session = read(new URL('./facts-session.sql', import.meta.url));
  const sequences = read(new URL('./facts-sequences.sql', import.meta.url));
  const snapshot = read(new URL('./facts-snapshot.sql', import.meta.url));
  const tables = read(new URL('./facts-tables.sql', import.meta.url));
  const end = read(new URL('./facts-end.sql', import.meta.url));
  return {
    facts_before: `${session}\\set moment before\n${sequences}${snapshot}`,
    facts_tables: `${session}${tables}`,
    facts_after: `\\set moment after\n${sequences}${end}`,
  };
};

export type FactsScripts = Record<'facts_before' | 'facts_tables' | 'facts_after', string>;

/**
 * The script for the scratch container of a drill: `room`, `room_below`, `prepare`, `tolerant`, `fill`, `restore`,
 * `session`, `schema`, `silence`, `indexes`, `reader`, `assert`.
 */
export const drillScript = () => program(readFileSync(new URL('./drill-inside.sh', import.meta.url), 'utf8'), load());
