import type { TableCount } from '../postgres/facts.ts';
import { relationName } from '../postgres/relation-name.ts';
import { hashedText } from '../postgres/table-facts.ts';
import type { Check } from '../sets/manifest.ts';
import type { DumpEncoding } from '../sets/naming.ts';
import { allOf, counted, listed } from '../units.ts';

/** How the rows of each table are counted while it is dumped. */
export type RowCounts = 'exact' | 'estimate' | 'off';

/** What was observed while a dump was written, parsed and read back from disk. */
export interface DumpEvidence {
  encoding: DumpEncoding;
  /** By PostgreSQL's name. */
  databaseEncoding: string;
  sizeBytes: number;
  /** The first five bytes in hex, as od prints them. */
  magic: string;
  streamSha256: string;
  diskSha256: string;
  /** What each stage of parsing it reported: `list 0` of an archive, `decompress 0`, `bytes 123`, `read 0`, `entry …`, `exit 1`. */
  stages: string;
  /** `pg_restore --list` of an archive. */
  contents: string;
  tables: readonly TableCount[];
  factsComplete: boolean;
  rowCounts: RowCounts;
  dumpMs: number;
  /** Reading the file again from disk, in milliseconds. */
  readMs: number;
}

/** The first bytes of a pg_dump archive and of the compression formats. Plain text has none. */
const magics = { zstd: '28 b5 2f fd', gzip: '1f 8b', custom: '50 47 44 4d 50', age: '61 67 65 2d 65' } as const;
/** Even the dump of an empty database has more bytes. */
const smallestDump = 200;

/** Judges a dump. It is verified if every check passed. */
export function judgeDump(evidence: DumpEvidence): Check[] {
  return [
    { name: 'dump', result: 'passed', detail: 'every stage exited with 0', ms: evidence.dumpMs },
    judgeMagic(evidence),
    judgeDisk(evidence),
    judgeParsing(evidence),
    judgeTables(evidence),
    judgeCounts(evidence),
  ];
}

export const allPassed = (checks: readonly Check[]): boolean => checks.every(({ result }) => result === 'passed');

function judgeMagic({ encoding: { format, compression, encryption }, magic, sizeBytes }: DumpEvidence): Check {
  const expected =
    encryption === 'age'
      ? magics.age
      : compression === 'zstd'
        ? magics.zstd
        : format === 'custom'
          ? magics.custom
          : compression === 'gzip'
            ? magics.gzip
            : '';
  if (sizeBytes < smallestDump) return failed('file', `only ${sizeBytes} bytes long`);
  if (!magic.trim().startsWith(expected)) return failed('file', `begins with ${magic.trim()} instead of ${expected}`);
  const sealed = encryption === 'age' ? ', encrypted' : '';
  return passed(
    'file',
    `${sizeBytes} bytes of ${compression === 'none' ? format : `${format}, ${compression}`}${sealed}`,
  );
}

/** The disk holds what the parser was given, if both have the checksum of the stream. */
function judgeDisk({ encoding: { encryption }, streamSha256, diskSha256, readMs }: DumpEvidence): Check {
  const subject = encryption === 'age' ? 'the ciphertext was ' : '';
  return /^[a-f0-9]{64}$/.test(diskSha256) && streamSha256 === diskSha256
    ? passed('disk', `${subject}read back from disk in full, with the same SHA-256 as the stream`, readMs)
    : failed('disk', `the bytes on disk have the SHA-256 ${diskSha256}, but the stream had ${streamSha256}`, readMs);
}

function judgeParsing({ encoding: { format, encryption }, stages }: DumpEvidence): Check {
  const exits = new Map(
    [...stages.matchAll(/^(list|decompress|read|exit) (\d+)$/gm)].map(([, stage, code]) => [stage, code]),
  );
  const needed = ['decompress', 'read', ...(format === 'custom' ? ['list'] : [])];
  const good = needed.every((stage) => exits.get(stage) === '0') && !exits.has('exit');
  if (!good) {
    const ends = [...exits]
      .filter(([stage]) => stage !== 'exit')
      .map(([stage, code]) => `${stage} exited with ${code}`)
      .join(', ');
    return failed(
      'read-back',
      `could not be parsed in full while it was written: ${ends || 'no program could read it'}`,
    );
  }
  const how = format === 'custom' ? 'pg_restore read every entry' : "it ends with pg_dump's last line";
  return passed(
    'read-back',
    `parsed in full while it was written${encryption === 'age' ? ', before it was encrypted' : ''}: ${how}`,
  );
}

function judgeTables({ encoding: { format }, databaseEncoding, contents, stages, tables }: DumpEvidence): Check {
  const alike = asListed(databaseEncoding);
  const { names, count } = format === 'custom' ? entriesOfArchive(alike(contents)) : entriesOfPlain(alike(stages));
  const dumped = tables.filter(({ isDumped }) => isDumped);
  const missing = dumped.filter(({ schema, name }) => !names.has(alike(`${onOneLine(schema)} ${onOneLine(name)}`)));
  if (missing.length > 0) {
    const names = listed(missing.map(relationName), 5);
    return failed('tables', `not in the dump: ${missing.length} of ${counted(dumped.length, 'table')}: ${names}`);
  }
  // Some names are the same with a space between schema and table.
  if (count < dumped.length)
    return failed('tables', `in the dump: only ${count} of ${counted(dumped.length, 'table')}`);
  return passed(
    'tables',
    dumped.length === 0 ? 'the database has no tables' : `${allOf(dumped.length, 'table', ['is', 'are'])} in the dump`,
  );
}

/** The tables whose rows a dump has: how many, and what they may be called. */
interface Entries {
  names: Set<string>;
  count: number;
}

/** `… TABLE DATA schema name owner`: each may contain spaces, so the table may be any beginning that ends at a space. */
function entriesOfArchive(contents: string): Entries {
  const names = new Set<string>();
  let count = 0;
  for (const line of contents.split('\n')) {
    const rest = /^\d+; \d+ \d+ TABLE DATA (.*)$/.exec(line)?.[1];
    if (rest === undefined) continue;
    count += 1;
    for (let space = rest.indexOf(' '); space >= 0; space = rest.indexOf(' ', space + 1)) {
      names.add(rest.slice(0, space));
    }
  }
  return { names, count };
}

function entriesOfPlain(stages: string): Entries {
  const entries = stages.matchAll(/^entry -- Data for Name: (.*); Type: TABLE DATA; Schema: (.*); Owner: /gm);
  const names = Array.from(entries, ([, name, schema]) => `${schema} ${name}`);
  return { names: new Set(names), count: names.length };
}

/**
 * How names are compared. A dump has them in the encoding of the database, and has been read here as if that were UTF-8: where it is
 * another, all characters that are not ASCII count as equal.
 */
const asListed =
  (databaseEncoding: string) =>
  (text: string): string =>
    databaseEncoding === 'UTF8' ? text : text.replaceAll(/\P{ASCII}+/gu, '\uFFFD');

/** pg_dump writes a name into a comment this way. */
const onOneLine = (name: string) => name.replaceAll(/[\r\n]/g, ' ');

function judgeCounts({ factsComplete, rowCounts, tables }: DumpEvidence): Check {
  if (!factsComplete) return failed('counts', 'the session that counts the rows ended too early');
  if (rowCounts === 'exact') return passed('counts', countedIn(tables));
  return passed('counts', `rows not counted (row-counts: ${rowCounts})`);
}

/** facts-tables.sql explains why some tables are not counted. */
function countedIn(tables: readonly TableCount[]): string {
  const exact = tables.filter(({ exact }) => exact).length;
  const hashed = hashedText(tables.filter(({ isDumped }) => isDumped));
  const counts = `rows of ${counted(exact, 'table')} counted in the dump's snapshot${hashed === '' ? '' : `; content hashed: ${hashed}`}`;
  if (exact === tables.length) return counts;
  return `${counts}; ${tables.length - exact} not counted, because counting could run other roles' code with this user's rights: to count them too, set "db-user" to a superuser`;
}

const passed = (name: string, detail: string, ms = 0): Check => ({ name, result: 'passed', detail, ms });
const failed = (name: string, detail: string, ms = 0): Check => ({ name, result: 'failed', detail, ms });
