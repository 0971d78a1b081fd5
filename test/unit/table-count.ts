import type { TableCount } from '../../shared/postgres/facts.ts';
import type { SequenceRange } from '../../shared/sets/manifest.ts';

/** An ordinary table whose rows were counted. */
export const counted = (
  schema: string,
  name: string,
  rows: number | null,
  changes: Partial<TableCount> = {},
): TableCount => ({
  schema,
  name,
  rows,
  exact: true,
  root: null,
  extension: null,
  isDumped: true,
  unnamed: null,
  generates: false,
  content: { oneIn: 1, rows: 1, hash: '7' },
  largestValue: null,
  ...changes,
});

/** An ordinary sequence that was read before and after a dump. */
export const moved = (
  schema: string,
  name: string,
  before: string | null,
  after: string | null,
  changes: Partial<SequenceRange> = {},
): SequenceRange => ({
  schema,
  name,
  before,
  after,
  increment: '1',
  cycles: false,
  extension: null,
  isDumped: true,
  ...changes,
});
