import type { TableCount } from '../../shared/postgres/facts.ts';

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
  content: null,
  largestValue: null,
  ...changes,
});
