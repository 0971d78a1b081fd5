import { askedDatabase, findDatabase } from '../../shared/backups/find-database.ts';
import type { Findings, Problem } from '../../shared/drill/finding.ts';
import type { DatabaseFacts, OutdatedCollations } from '../../shared/postgres/probe.ts';
import { identifier } from '../../shared/postgres/relation-name.ts';
import { type DatabaseContainer, inContainer, pastedLine } from '../../shared/report/in-container.ts';
import { databaseArgument } from '../../shared/report/restore-command.ts';
import { type Catalogue, verifiedSetsOf } from '../../shared/sets/catalogue.ts';
import { factsOf } from '../../shared/sets/last-good.ts';
import { allOf, counted, listed } from '../../shared/units.ts';
import type { VerifyInputs } from '../inputs.ts';
import type { SetupFacts } from './setup-facts.ts';

/** Checks what else the server has, and that what the database has stored in an order is still in that order. */
export function judgeServer(findings: Findings, { seen, catalogue }: SetupFacts, inputs: VerifyInputs): void {
  const others = () => judgeOthers(askedDatabase(seen), catalogue, inputs.backupDir);
  findings.after('database accepts', 'other databases', others, 'warning');
  const facts = factsOf(seen);
  if (facts !== null && facts.outdatedCollations === null) {
    findings.unable('collations', 'the server did not tell their versions', 'On the host: docker ps; docker logs NAME');
    return;
  }
  const collations = () => {
    const { access, outdatedCollations, ...asked } = askedDatabase(seen);
    const place = { container: findDatabase(seen, inputs).name, access };
    return outdatedCollations === null ? 'not looked at' : judgeCollations(outdatedCollations, asked, place);
  };
  findings.after('database accepts', 'collations', collations, 'warning');
}

/** Whoever is to add a step for each needs their names; how many there are comes first, in case a text is cut off. */
const mostNamed = 50;

/** A backup is of one database. The others are lost with the server, unless somebody has thought of them. */
function judgeOthers({ otherDatabases }: DatabaseFacts, { sets }: Catalogue, backupDir: string): string | Problem {
  const { count, names } = otherDatabases;
  const missing = names.filter((name) => verifiedSetsOf(name, sets).length === 0);
  const total = count - (names.length - missing.length);
  if (total === 0)
    return count === 0 ? 'the server has none' : `${allOf(count, 'other database', ['has', 'have'])} a verified backup`;
  const named = listed(
    missing.map((name) => `"${name}"`),
    mostNamed,
    { total },
  );
  return {
    detail: `${backupDir} has no verified backup of ${counted(total, 'other database')} of this server: ${named}`,
    remedy:
      'Add a step of backup-action with "db-name" for each that matters. It is not known here whether they are backed up elsewhere',
  };
}

const mostCollations = 5;

/** Until it is built anew, an index that was sorted by another version may not find what is there. */
function judgeCollations(
  { default: own, others, partitioned }: OutdatedCollations,
  { database, user }: Pick<DatabaseFacts, 'database' | 'user'>,
  place: DatabaseContainer,
): string | Problem {
  if (own === null && others.length === 0) return 'each has the version that its indexes were built with';
  const named = [
    ...(own === null ? [] : [`the database's own (${own.recorded}, now ${own.actual})`]),
    ...others.map(({ schema, name, recorded, actual }) => `${schema}.${name} (${recorded}, now ${actual})`),
  ];
  const refresh = [
    ...(own === null ? [] : [`ALTER DATABASE ${identifier(database)} REFRESH COLLATION VERSION`]),
    ...others
      .slice(0, mostCollations)
      .map(({ schema, name }) => `ALTER COLLATION ${identifier(schema)}.${identifier(name)} REFRESH VERSION`),
  ];
  // REFRESH ends all warnings, so it is not for those whose rows are still where the old order has put them.
  const statements = [`REINDEX DATABASE ${identifier(database)}`, ...(partitioned.length === 0 ? refresh : [])];
  const psql = ['psql', '-X', `--username=${user}`, `--dbname=${databaseArgument(database)}`, '-v', 'ON_ERROR_STOP=1'];
  const words = [...inContainer(place), ...psql, ...statements.map((statement) => `--command=${statement}`)];
  const rest = others.length > mostCollations ? '. Then run it again: it has more of them' : '';
  const tables = listed(
    partitioned.map(({ schema, name }) => `${schema}.${name}`),
    3,
  );
  const detail = `indexes of "${database}" were sorted by another version of a collation, and may miss rows or let duplicates in: ${listed(named, 3)}`;
  const quiet = `At a quiet hour, since REINDEX blocks writes to each table, and nearly all reads of it. On the host: ${pastedLine(words)}`;
  if (partitioned.length === 0) return { detail, remedy: `${quiet}${rest}` };
  return {
    detail: `${detail}. Rows may be in the wrong partition of ${tables}`,
    remedy: `${quiet}. It moves no rows between partitions: copy those of ${tables} into a new table with the same partitions, and put it in place of the old one. Only then: ${refresh.join('; ')}${rest}`,
  };
}
