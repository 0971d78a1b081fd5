import { Failure, isFailure } from '../failure.ts';
import type { Records } from '../host/records.ts';
import { type ExtensionMembers, type Facts, readFacts, type TableCount } from '../postgres/facts.ts';
import { formatBytes } from '../units.ts';

/** The data that a restored database contains. */
export interface RestoredData {
  tables: TableCount[];
  /** The current value of each; null: never used. */
  sequences: { schema: string; name: string; value: string | null }[];
  largeObjects: number;
  extensions: { name: string; version: string }[];
  members: ExtensionMembers[];
  emptyViews: { schema: string; name: string }[];
}

/** What the restored database of a drill contains. */
export interface Restored extends RestoredData {
  schema: RestoredSchema;
  indexes: RestoredIndexes;
  /** The answer to each statement, in order; null if no read-only role could be created to run them. */
  assertions: { isTrue: boolean; answer: string }[] | null;
}

/** What a new dump of the schema says. */
export interface RestoredSchema {
  /** Computed as for the manifest. */
  sha256: string;
  /** The same of a database made from the set's schema file; null if there is no such file, or no need to look. */
  ofFile: { sha256: string } | { trouble: string } | null;
  /** The first lines that differ between the two: `-` from the dump, `+` from the schema file. Empty if none could be shown. */
  lines: string[];
}

export interface RestoredIndexes {
  /** The number of btree indexes that amcheck has read; null if the image lacks amcheck. */
  checked: number | null;
  /** Names of invalid indexes, and what amcheck says of damaged ones. */
  faults: string[];
  /** Why indexes could not be read. */
  unread: string[];
}

/**
 * Reads what the program on the host reports about the restored database. The backup may be hostile, so nothing is trusted.
 * @throws Failure `drill-incomplete` if the counting session was cut short, or an answer was cut off or makes no sense
 */
export function readRestored(records: Records): Restored {
  return {
    ...readRestoredData(records),
    schema: readSchema(records),
    indexes: readIndexes(records.get('indexes')),
    assertions: readAssertions(records),
  };
}

/** The data alone. @throws Failure `drill-incomplete`, as readRestored does */
export function readRestoredData(records: Records): RestoredData {
  const { text, exit } = wholeOutput(records.get('facts'), 'its tables were counted');
  const lines = linesOf(text);
  if (!lines.includes('end') || !lines.some((line) => line.startsWith('sequences-after '))) {
    const cause = lines
      .slice(-3)
      .map((line) => line.slice(0, 200))
      .join('\n');
    // A session that ends well has printed all of its answer.
    throw exit === 0
      ? new Failure('drill-incomplete', 'Something else was printed amid the counts of the restored data', {
          hint: printingHint,
          cause,
        })
      : new Failure('drill-incomplete', 'Counting the restored data was cut short', {
          hint: 'Raise "drill-memory", or see the log',
          cause,
        });
  }
  const facts = factsIn(lines);
  return {
    tables: facts.tables,
    sequences: facts.sequencesAfter ?? [],
    largeObjects: facts.largeObjects,
    extensions: facts.extensions,
    members: facts.members,
    emptyViews: facts.emptyViews,
  };
}

/** @throws Failure `drill-incomplete` if a line makes no sense */
function factsIn(lines: readonly string[]): Facts {
  try {
    return readFacts(lines);
  } catch (error) {
    if (!isFailure(error)) throw error;
    throw new Failure('drill-incomplete', error.message, { hint: printingHint, cause: error.cause });
  }
}

const printingHint = 'Find out what in the backup prints: functions, event triggers, settings of its roles';

/** @throws Failure `drill-incomplete` if pg_dump did not finish, or printed too much */
function readSchema(records: Records): RestoredSchema {
  const hash = readHash(records.get('schema'));
  if ('trouble' in hash) {
    const hint = hash.trouble.includes('more than') ? printingHint : 'See the log, or raise "drill-memory"';
    throw new Failure('drill-incomplete', `Could not dump the schema of the restored database: ${hash.trouble}`, {
      hint,
    });
  }
  const lines = linesOf(records.find('schema-lines') ?? '');
  return { sha256: hash.sha256, ofFile: readSchemaOfFile(records), lines };
}

function readSchemaOfFile(records: Records): RestoredSchema['ofFile'] {
  const restored = records.find('schema-restored');
  if (restored === undefined) return null;
  const { text, exit } = readSaid(restored);
  if (exit === 0) return readHash(records.get('schema-of-file'));
  const said = linesOf(text);
  return {
    trouble: `it does not restore: ${said.find((line) => line.includes('ERROR')) ?? said.at(-1) ?? 'no reason given'}`,
  };
}

function readHash(value: string): { sha256: string } | { trouble: string } {
  if (/^[0-9a-f]{64}$/.test(value)) return { sha256: value };
  const [, cutAt] = /^cut (\d+)$/.exec(value) ?? [];
  return {
    trouble: cutAt === undefined ? `pg_dump failed (${value})` : `it is more than ${formatBytes(Number(cutAt))}`,
  };
}

/** States of SQL that say that what is stored is damaged. */
const corruption = /^XX00[12]$/;

/** @throws Failure `drill-incomplete` if it was cut off */
function readIndexes(value: string): RestoredIndexes {
  const { text, exit } = wholeOutput(value, 'its indexes were read');
  const lines = linesOf(text);
  const found = (pattern: RegExp) => lines.flatMap((line) => pattern.exec(line)?.slice(1) ?? []);
  const reading = found(/^reading (\d+)$/)[0];
  const errors = lines.flatMap((line) => {
    const [, state = '', what = ''] = /ERROR: +(?:([0-9A-Z]{5}): )?(.*)$/.exec(line) ?? [];
    return what === '' ? [] : [{ isDamage: corruption.test(state), what }];
  });
  const unread = errors.filter(({ isDamage }) => !isDamage).map(({ what }) => what);
  const isOver = lines.includes('end') || lines.includes('unchecked');
  if (exit !== 0 || !isOver) unread.push('the session ended before all were read');
  return {
    checked: reading === undefined ? null : Number(reading) - errors.length,
    faults: [
      ...lines.filter((line) => line.startsWith('invalid ')),
      ...errors.filter(({ isDamage }) => isDamage).map(({ what }) => what),
    ],
    unread,
  };
}

function readAssertions(records: Records): Restored['assertions'] {
  const reader = records.find('reader');
  if (reader !== undefined && readSaid(reader).exit !== 0) return null;
  return records.all('assertion').map((value) => {
    const { text, exit, cutAt } = readSaid(value);
    const answer = text.trim();
    if (cutAt !== null)
      return {
        isTrue: false,
        answer: `more than ${formatBytes(cutAt)} instead of one true or false${answer === '' ? '' : `: ${answer}`}`,
      };
    return { isTrue: exit === 0 && answer === 't', answer };
  });
}

/** The output of a command in the container, and how it ended; the program on the host adds that as a last line. */
interface Said {
  text: string;
  /** null if the output was cut off. */
  exit: number | null;
  /** Bytes; null if the output is complete. */
  cutAt: number | null;
}

function readSaid(value: string): Said {
  const [, text, exit, cutAt] = /^(.*)\n(?:exit (\d+)|cut (\d+))$/s.exec(value) ?? [];
  if (text === undefined) throw new Error('The host did not report how a command in the container ended');
  return { text, exit: exit === undefined ? null : Number(exit), cutAt: cutAt === undefined ? null : Number(cutAt) };
}

const linesOf = (text: string) => text.split('\n').filter((line) => line !== '');

/** @throws Failure `drill-incomplete` if it was cut off: an incomplete output is no answer, whatever it says */
function wholeOutput(value: string, meanwhile: string): Said {
  const said = readSaid(value);
  const { text, cutAt } = said;
  if (cutAt === null) return said;
  throw new Failure(
    'drill-incomplete',
    `The scratch server printed more than ${formatBytes(cutAt)} while ${meanwhile}, so its output was cut off and discarded`,
    {
      hint: printingHint,
      cause: text.slice(0, 200),
    },
  );
}
