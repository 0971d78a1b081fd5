import type { TableCount } from '../postgres/facts.ts';
import { identifier, relationName } from '../postgres/relation-name.ts';
import { isHashed, leftOut, leftOutText } from '../postgres/table-facts.ts';
import type { Manifest } from '../sets/manifest.ts';
import { counted } from '../units.ts';
import { type Findings, type Problem, some } from './finding.ts';
import { changedExtensions } from './judge-extensions.ts';
import type { RestoredData } from './restored.ts';

/** Logs and the like of which their authors say that a dump need not have them. */
const ownLogs = new Set(['pg_cron job_run_details']);

/** Tells of rows that pg_dump leaves out because of where their table belongs, where a restore does not bring them. */
export function judgeLeftOut(findings: Findings, manifest: Manifest, restored: RestoredData): void {
  const present = new Map(restored.tables.map((table) => [relationName(table), table]));
  const changed = changedExtensions(manifest, restored);
  const lost = leftOut(manifest.tables).filter((table) => {
    const { rows, content } = present.get(relationName(table)) ?? {};
    return rows !== table.rows || (isHashed(table) && content?.hash !== table.content?.hash);
  });
  const others = manifest.tables.filter(({ unnamed, ...table }) => {
    const after = present.get(relationName(table))?.unnamed;
    return unnamed !== null && (after?.rows !== unnamed.rows || after.hash !== unnamed.hash);
  });
  if (others.length > 0) {
    findings.check('left out', () => otherThanNamed(others), 'warning');
  }
  if (lost.length === 0) return;
  const isKnown = ({ extension, name, rows }: TableCount) =>
    rows === null || changed.has(extension ?? '') || ownLogs.has(`${extension} ${name}`);
  findings.check(
    'left out',
    () => ({
      detail: `not in the dump, and not in a restore: ${leftOutText(lost)}`,
      remedy: `pg_dump leaves out the rows of such tables. If you need them, take the table out: ${lost.slice(0, 1).map(takeOut)}. Or save them in another way, such as COPY`,
    }),
    lost.every(isKnown) ? 'warning' : 'error',
  );
}

/** An extension names rows by a condition, and makes the others itself: that is its own choice, so it is told and not condemned. */
function otherThanNamed(tables: readonly TableCount[]): Problem {
  const told = tables.map(
    (table) =>
      `${relationName(table)} (${counted(table.unnamed?.rows ?? 0, 'row')} that the extension ${table.extension} does not name)`,
  );
  return {
    detail: `not in the dump, so a restore has other rows: ${some(told)}`,
    remedy:
      'A restore has these rows as CREATE EXTENSION creates them. If you changed or added some, save them in another way, such as COPY',
  };
}

const takeOut = ({ extension, schema, name }: TableCount) => {
  const table = `${identifier(schema)}.${identifier(name)}`;
  return extension === null
    ? `ALTER TABLE ${table} SET SCHEMA …`
    : `ALTER EXTENSION ${identifier(extension)} DROP TABLE ${table}`;
};
