import { createHash } from 'node:crypto';
import { hideSecrets } from './hide-secrets.ts';
import { changedLines } from './line-difference.ts';

/** What happened to one object between two dumps of the schema. */
export interface SchemaChange {
  what: 'added' | 'removed' | 'changed';
  /** pg_dump's word: TABLE, FUNCTION, FK CONSTRAINT; SETTINGS for everything before the first object. */
  type: string;
  /** null for objects outside any schema, such as extensions. */
  schema: string | null;
  name: string;
  /** For a changed object: the lines that differ, `- …` and `+ …`, in order. Empty otherwise. */
  lines: string[];
}

/** Lines that differ in every run of pg_dump, or between server versions. */
const unstable = /^(\\(un)?restrict |-- Dumped (from|by) |-- (Started|Completed) on )/;

/** pg_dump's comment above each object. A name may contain anything here except line breaks. */
const header = /^-- Name: (.*); Type: (.*?); Schema: (.*); Owner: /;

/**
 * Lines between objects that belong to none of them. pg_dump changes a default before the first object that needs it, so
 * these lines move when objects come and go.
 */
const betweenObjects =
  /^(-- PostgreSQL database dump( complete)?|--|SET default_(tablespace|table_access_method) = .*)?$/;

/**
 * A schema dump without the lines that differ from run to run, so that equal schemas give equal texts: `schemaSha256` is
 * the hash of this. Line breaks at the end are removed, because a shell variable loses them.
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
 * What changed between two outputs of `pg_dump --schema-only`, by object: first the objects in `after`, in that order,
 * then the removed ones. An object that only moved to another place in the dump has not changed. Secrets are hidden.
 */
export function compareSchemas(before: string, after: string): SchemaChange[] {
  const [hiddenBefore, hiddenAfter] = hideSecrets(before, after);
  const old = objectsOf(hiddenBefore);
  const present = objectsOf(hiddenAfter);
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

/** The objects by type, schema and name; objects that share all three count as one. */
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
