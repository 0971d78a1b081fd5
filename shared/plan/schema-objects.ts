import { statementsIn } from '../postgres/statements.ts';
import { stableSchema } from '../report/schema-changes.ts';

/** An object of a schema, as pg_dump calls it in the comment above. */
export interface SchemaObject {
  /** TABLE, FUNCTION, FK CONSTRAINT, ACL. */
  type: string;
  /** `-` for objects outside any schema. */
  schema: string;
  name: string;
  /** Without semicolons. */
  statements: string[];
}

const header = /^-- Name: (.*); Type: (.*?); Schema: (.*); Owner: /;
/** Between objects, about none of them. */
const setting = /^(SET|SELECT pg_catalog\.set_config\()/;

/**
 * The objects of a schema dump, in its order. Only comments above a statement count as headers: a text, the body of a function or a
 * comment may hold lines that look like one.
 * @throws RangeError if it is not SQL to its end
 */
export function schemaObjects(dump: string): SchemaObject[] {
  const objects: SchemaObject[] = [];
  for (const text of statementsIn(stableSchema(dump))) {
    const { comments, statement } = parted(text);
    const title = comments.map((line) => header.exec(line)).findLast((match) => match !== null);
    if (title) {
      const [, name = '', type = '', schema = ''] = title;
      objects.push({ type, schema, name, statements: [] });
    }
    if (!setting.test(statement)) objects.at(-1)?.statements.push(asRestored(statement));
  }
  return objects;
}

/** A statement, and the lines of comment before it. */
function parted(text: string): { comments: string[]; statement: string } {
  const comments: string[] = [];
  let at = 0;
  while (at < text.length) {
    const end = text.indexOf('\n', at);
    const line = text.slice(at, end < 0 ? text.length : end);
    if (line.trim() !== '' && !line.startsWith('--')) break;
    comments.push(line);
    at = end < 0 ? text.length : end + 1;
  }
  return { comments, statement: text.slice(at) };
}

const items = "((?:[^\\[\\]']|'[^']*')*)";
const castList = new RegExp(`\\(ARRAY\\[${items}\\]\\)::[a-z ]+\\[\\]`, 'g');
const listOfCasts = new RegExp(`ARRAY\\[${items}\\]`, 'g');
const castItem = /(?:\(('[^']*(?:''[^']*)*')::[a-z ]+\)|('[^']*(?:''[^']*)*'))::[a-z ]+(?=, |$)/g;

/**
 * PostgreSQL prints `a IN ('x', 'y')` for a column of varying length in one way, and in another once it was dumped and restored:
 * `(ARRAY['x'::character varying])::text[]`, then `ARRAY[('x'::character varying)::text]`. It is the same list.
 */
function asRestored(statement: string): string {
  if (!statement.includes('ARRAY[')) return statement;
  const bareItems = (list: string) => list.replace(castItem, (_, inner, plain) => inner ?? plain);
  return statement
    .replace(castList, (_, list: string) => `ARRAY[${bareItems(list)}]`)
    .replace(listOfCasts, (whole, list: string) => (list.startsWith("('") ? `ARRAY[${bareItems(list)}]` : whole));
}
