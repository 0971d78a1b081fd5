import { readFileSync } from 'node:fs';

// Scripts for the database container and SQL for the server; the programs on the host get them as parameters.

/** The script for the container: `probe`, `session`, `dump`, `schema`, `globals`, `settings`, `verify`, `contents`, `terminate`. */
export const insideScript = () => readFileSync(new URL('./inside.sh', import.meta.url), 'utf8');

/** Statements for one session, in this order. Each answer is a line: a name, a space, a value or JSON. */
export const factsBefore = () => readFileSync(new URL('./facts-before.sql', import.meta.url), 'utf8');
export const factsTables = () => readFileSync(new URL('./facts-tables.sql', import.meta.url), 'utf8');
export const factsAfter = () => readFileSync(new URL('./facts-after.sql', import.meta.url), 'utf8');

/**
 * The script for the scratch container of a drill: `room`, `room_below`, `prepare`, `tolerant`, `restore`, `session`,
 * `schema`, `silence`, `indexes`, `reader`, `assert`.
 */
export const drillScript = () => readFileSync(new URL('./drill-inside.sh', import.meta.url), 'utf8');
