import { Failure, isFailure } from '../failure.ts';
import type { Records } from '../host/records.ts';
import { type Facts, readFacts, type TableCount } from '../postgres/facts.ts';
import { stableSchemaHash } from '../report/schema-changes.ts';
import { formatBytes } from '../units.ts';

/** What the restored database contains. */
export interface Restored {
  tables: TableCount[];
  /** The current value of each; null: never used. */
  sequences: { schema: string; name: string; value: string | null }[];
  largeObjects: number;
  extensions: { name: string; version: string }[];
  /** Computed as for the manifest. */
  schemaSha256: string;
  /** The number of btree indexes that amcheck has read; null if the image lacks amcheck. */
  checkedIndexes: number | null;
  /** Names of invalid indexes, or the error of amcheck. */
  indexFaults: string[];
  /** The answer to each statement, in order; null if no read-only role could be created to run them. */
  assertions: { isTrue: boolean; answer: string }[] | null;
}

/**
 * Reads what the program on the host reports about the restored database. The backup may be hostile, so nothing is trusted.
 * @throws Failure `drill-incomplete` if the counting session was cut short, or an answer was cut off or makes no sense
 */
export function readRestored(records: Records): Restored {
  const lines = linesOf(wholeText(records.get('facts'), 'its tables were counted'));
  if (!lines.includes('end') || !lines.some((line) => line.startsWith('sequences-after '))) {
    throw new Failure('drill-incomplete', 'Counting the restored data was cut short', {
      hint: 'Raise "drill-memory", or see the log',
      cause: lines.slice(-3).join('\n'),
    });
  }
  const facts = factsIn(lines);
  const indexes = readSaid(records.get('indexes'));
  const indexLines = linesOf(wholeText(records.get('indexes'), 'its indexes were read'));
  const checked = indexLines.map((line) => /^checked (\d+)$/.exec(line)?.[1]).find((count) => count !== undefined);
  return {
    tables: facts.tables,
    sequences: facts.sequencesAfter ?? [],
    largeObjects: facts.largeObjects,
    extensions: facts.extensions,
    schemaSha256: stableSchemaHash(readSchema(wholeText(records.get('schema-text'), 'its schema was dumped'))),
    checkedIndexes: checked === undefined ? null : Number(checked),
    indexFaults: [
      ...indexLines.filter((line) => line.startsWith('invalid ')),
      ...(indexes.exit === 0
        ? []
        : [indexLines.find((line) => line.includes('ERROR')) ?? 'could not read the indexes']),
    ],
    assertions: readAssertions(records),
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

/** @throws Failure `drill-incomplete` if pg_dump did not finish */
function readSchema(text: string): string {
  const [, schema, exit] = /^(.*?)\n?exit (\d+)$/s.exec(text.trimEnd()) ?? [];
  if (schema !== undefined && exit === '0') return `${schema}\n`;
  throw new Failure(
    'drill-incomplete',
    `Could not dump the schema of the restored database (exit ${exit ?? 'unknown'})`,
    {
      hint: 'See the log, or raise "drill-memory"',
    },
  );
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
function wholeText(value: string, meanwhile: string): string {
  const { text, cutAt } = readSaid(value);
  if (cutAt === null) return text;
  throw new Failure(
    'drill-incomplete',
    `The scratch server printed more than ${formatBytes(cutAt)} while ${meanwhile}, so its output was cut off and discarded`,
    {
      hint: printingHint,
      cause: text.slice(0, 200),
    },
  );
}
