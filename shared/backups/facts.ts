import type { TableCount } from './manifest.ts';

/** A sequence at one moment; `value` is null where it was never used. */
export interface FoundSequence {
  schema: string;
  name: string;
  value: string | null;
  increment: string;
}

/** What the statements of `shared/postgres/facts-*.sql` have told of a database. */
export interface Facts {
  tables: TableCount[];
  sequencesBefore: FoundSequence[];
  /** null where the session ended before it told them: then the tables are not all there either. */
  sequencesAfter: FoundSequence[] | null;
  largeObjects: number;
  extensions: { name: string; version: string }[];
}

/**
 * Reads the lines of such a session: a name, a space, and a value or JSON. A table that was counted by COPY is told of in two,
 * `copied {…}` and `COPY rows`.
 * @throws SyntaxError where what should be JSON is none
 */
export function readFacts(lines: readonly string[]): Facts {
  const pairs = lines.map((line): [string, string] => {
    const space = line.indexOf(' ');
    return space < 0 ? [line, ''] : [line.slice(0, space), line.slice(space + 1)];
  });
  const fact = (name: string) => pairs.find(([key]) => key === name)?.[1];
  const after = fact('sequences-after');
  return {
    tables: pairs.flatMap(([name, value], at) => {
      if (name === 'table') return [JSON.parse(value) as TableCount];
      return name === 'copied' ? [{ ...JSON.parse(value), ...copiedRows(pairs[at + 1]) }] : [];
    }),
    sequencesBefore: JSON.parse(fact('sequences-before') ?? '[]'),
    sequencesAfter: after === undefined ? null : JSON.parse(after),
    largeObjects: Number(fact('large-objects') ?? 0),
    extensions: JSON.parse(fact('extensions') ?? '[]'),
  };
}

function copiedRows(next: readonly [string, string] | undefined): Pick<TableCount, 'rows' | 'exact'> {
  const isCounted = next?.[0] === 'COPY' && /^\d+$/.test(next[1]);
  return isCounted ? { rows: Number(next[1]), exact: true } : { rows: null, exact: false };
}
