import { Failure, isFailure } from '../failure.ts';
import type { Records } from '../host/records.ts';
import { type Facts, readFacts, type TableCount } from '../postgres/facts.ts';
import { stableSchemaHash } from '../report/schema-changes.ts';
import { formatBytes } from '../units.ts';

/** What came out of the archive. */
export interface Restored {
  tables: TableCount[];
  /** The value that each is at; null: never used. */
  sequences: { schema: string; name: string; value: string | null }[];
  largeObjects: number;
  extensions: { name: string; version: string }[];
  /** As the manifest has it. */
  schemaSha256: string;
  /** Of btree indexes that amcheck has read; null where the image has none. */
  checkedIndexes: number | null;
  /** Names of invalid ones, or what amcheck said. */
  indexFaults: string[];
  /** Of the statements, in order: whether true, and what came else; null where nobody who only reads could be made to ask. */
  assertions: { isTrue: boolean; answer: string }[] | null;
}

/**
 * Reads what the program on the host tells of a database that came back: hostile as the backup may be.
 * @throws Failure `drill-incomplete` where the session that counted broke off, or what was said was cut or is no answer
 */
export function readRestored(records: Records): Restored {
  const lines = linesOf(wholeText(records.get('facts'), 'its tables were counted'));
  if (!lines.includes('end') || !lines.some((line) => line.startsWith('sequences-after '))) {
    throw new Failure('drill-incomplete', 'What the backup holds could not be counted to the end', {
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
        : [indexLines.find((line) => line.includes('ERROR')) ?? 'the indexes could not be read']),
    ],
    assertions: readAssertions(records),
  };
}

/** @throws Failure `drill-incomplete` where one of them is no answer */
function factsIn(lines: readonly string[]): Facts {
  try {
    return readFacts(lines);
  } catch (error) {
    if (!isFailure(error)) throw error;
    throw new Failure('drill-incomplete', error.message, { hint: printingHint, cause: error.cause });
  }
}

const printingHint = 'See what the backup brings that prints: functions, event triggers, settings of its roles';

/** @throws Failure `drill-incomplete` where pg_dump did not come to its end */
function readSchema(text: string): string {
  const [, schema, exit] = /^(.*?)\n?exit (\d+)$/s.exec(text.trimEnd()) ?? [];
  if (schema !== undefined && exit === '0') return `${schema}\n`;
  throw new Failure(
    'drill-incomplete',
    `The schema of what came back could not be dumped (exit ${exit ?? 'unknown'})`,
    {
      hint: 'See the log; raise "drill-memory"',
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
      return { isTrue: false, answer: `more than ${formatBytes(cutAt)}, where one true or false is wanted: ${answer}` };
    return { isTrue: exit === 0 && answer === 't', answer };
  });
}

/** What somebody said in the container, and how that ended, as the program on the host adds it on a last line. */
interface Said {
  text: string;
  /** null where it was cut. */
  exit: number | null;
  /** Bytes; null where it is whole. */
  cutAt: number | null;
}

function readSaid(value: string): Said {
  const [, text, exit, cutAt] = /^(.*)\n(?:exit (\d+)|cut (\d+))$/s.exec(value) ?? [];
  if (text === undefined) throw new Error('The host did not report how what was said ended');
  return { text, exit: exit === undefined ? null : Number(exit), cutAt: cutAt === undefined ? null : Number(cutAt) };
}

const linesOf = (text: string) => text.split('\n').filter((line) => line !== '');

/** @throws Failure `drill-incomplete` where it was cut: whatever stands in it, it is no answer */
function wholeText(value: string, meanwhile: string): string {
  const { text, cutAt } = readSaid(value);
  if (cutAt === null) return text;
  throw new Failure(
    'drill-incomplete',
    `The scratch server printed more than ${formatBytes(cutAt)} while ${meanwhile}: that was cut off, and is no answer`,
    {
      hint: printingHint,
      cause: text.slice(0, 200),
    },
  );
}
