import { createHash } from 'node:crypto';
import { changedLines } from './line-difference.ts';

/** What happened to one object between two dumps of the schema. */
export interface SchemaChange {
  what: 'added' | 'removed' | 'changed';
  /** As pg_dump calls it: TABLE, FUNCTION, FK CONSTRAINT; SETTINGS for what stands before the first object. */
  type: string;
  /** null for what belongs to no schema, such as extensions. */
  schema: string | null;
  name: string;
  /** For a changed object the lines that differ, `- …` and `+ …` in order; empty otherwise. */
  lines: string[];
}

/** Lines that pg_dump writes differently in every run or for every server version. */
const unstable = /^(\\(un)?restrict |-- Dumped (from|by) |-- (Started|Completed) on )/;

/** pg_dump's comment above each object. Names hold no line breaks here, but may hold anything else. */
const header = /^-- Name: (.*); Type: (.*?); Schema: (.*); Owner: /;

/**
 * Lines between objects, which belong to none. pg_dump sets a default before the first object that needs another one,
 * so these move about when objects come and go.
 */
const betweenObjects =
  /^(-- PostgreSQL database dump( complete)?|--|SET default_(tablespace|table_access_method) = .*)?$/;

/**
 * A schema dump without the lines that differ from run to run, so that equal schemas are equal texts. This is what
 * `schemaSha256` is taken of. It ends without line breaks, since a dump that went through a shell has lost them.
 */
export function stableSchema(dump: string): string {
  return dump
    .split('\n')
    .filter((line) => !unstable.test(line))
    .join('\n')
    .trimEnd();
}

/** `schemaSha256` of a manifest. */
export function stableSchemaHash(dump: string): string {
  return createHash('sha256').update(stableSchema(dump)).digest('hex');
}

/**
 * What changed between two outputs of `pg_dump --schema-only`, by object: first in the order of `after`, then what was
 * removed. An object that is written to another place in the dump has not changed.
 */
export function compareSchemas(before: string, after: string): SchemaChange[] {
  const old = objectsOf(before);
  const present = objectsOf(after);
  const changes: SchemaChange[] = [];
  for (const [key, object] of present) {
    const predecessor = old.get(key);
    if (predecessor === undefined) changes.push({ what: 'added', ...object.title, lines: [] });
    else {
      const lines = changedLines(predecessor.lines, object.lines);
      if (lines.length > 0) changes.push({ what: 'changed', ...object.title, lines });
    }
  }
  for (const [key, { title }] of old) if (!present.has(key)) changes.push({ what: 'removed', ...title, lines: [] });
  return changes;
}

interface SchemaObject {
  title: Pick<SchemaChange, 'type' | 'schema' | 'name'>;
  lines: string[];
}

/** By what identifies an object; those that share all of it are taken together. */
function objectsOf(dump: string): Map<string, SchemaObject> {
  const objects = new Map<string, SchemaObject>();
  let current = objectAt(objects, { type: 'SETTINGS', schema: null, name: 'of the dump' });
  for (const line of stableSchema(dump).split('\n')) {
    const [, name, type, schema] = header.exec(line) ?? [];
    if (name !== undefined && type !== undefined && schema !== undefined) {
      current = objectAt(objects, { type, schema: schema === '-' ? null : schema, name });
    } else if (!betweenObjects.test(line)) {
      current.lines.push(line);
    }
  }
  return objects;
}

function objectAt(objects: Map<string, SchemaObject>, title: SchemaObject['title']): SchemaObject {
  const key = JSON.stringify([title.type, title.schema, title.name]);
  const object = objects.get(key) ?? { title, lines: [] };
  objects.set(key, object);
  return object;
}
