import { Failure } from '../failure.ts';
import type { Records } from '../host/records.ts';
import { formatBytes } from '../units.ts';
import type { DrillOutcome, DrillRequest } from './drill-request.ts';
import { enoughMemory } from './memory.ts';
import { scratchServer } from './scratch-server.ts';

// When the scratch server is at fault, and not the backup.

/** Output that shows that the scratch server is at fault and not the backup, and what to do about it. */
const unfit: [said: RegExp, what: string, hint: string][] = [
  [/No space left on device/, "Docker's disk is full", 'Make room: docker system df on the host, then drill it again'],
  [
    /Cannot fork|Resource temporarily unavailable/i,
    'The scratch container could not start another process (its limit is 200)',
    'Check what the functions of the backup start, then drill it again',
  ],
  [
    /out of memory|Cannot allocate memory|terminated by signal 9|server closed the connection|terminated abnormally|could not fork|exit 137/i,
    'The scratch server was killed or ran out of memory',
    'Raise "drill-memory" to MEMORY, then drill it again',
  ],
  [
    /extension .* is not available|could not (access file|open extension control file|load library|find function ".*" in file)|security label provider ".*" is not loaded|shared_preload_libraries|must be (pre)?loaded/,
    'The image lacks an extension or library that the source had',
    "Give the database's service the image of the source, then drill it again",
  ],
  [
    /could not create locale|collation "pg_catalog\..*" for encoding ".*" does not exist/,
    'The image lacks a locale of the source',
    "Give the database's service an image that has it, then drill it again",
  ],
  // Of a materialized view, a restore asks anew what it was made from.
  [
    /could not connect to server ("|…)|could not establish connection/,
    'A restore of this backup asks another server, for a materialized view over a foreign table perhaps, and the scratch container has no network',
    'If such a view is empty in a backup (REFRESH MATERIALIZED VIEW … WITH NO DATA on the source), a drill can restore it. Else restore the backup by hand, where that server can be reached',
  ],
  [
    /could not open (file (".*"|…) for reading|[a-z-]+ file (".*"|…)): (No such file|Permission denied)/,
    'The image lacks a file that the source reads, such as a dictionary or the file of a foreign table',
    'Put it into the image, as the scratch container has no volumes, then drill it again',
  ],
];

/** What the scratch container could not offer. */
export interface Limits {
  /** The failure if the kernel has killed something because memory ran out; else null. */
  ranOut: Failure | null;
  /** What of the source's server the image lacks: `library NAME`, `lc_monetary`. */
  lacks: string[];
  /** Something of type money was restored, or nobody knows. */
  hasMoney: boolean;
}

/**
 * If the file matches its manifest but the scratch server failed, nothing is proven about the backup.
 * @throws Failure `drill-unfit`
 */
export function refuseUnfit(
  { fault, sha256 }: DrillOutcome,
  words: string,
  request: DrillRequest,
  limits: Limits,
): void {
  const { set, image, memory, largestValue } = request;
  const { ranOut, lacks, hasMoney } = limits;
  const locale = set.manifest.serverSettings?.['lc_monetary'];
  const unfitFor = (what: string, hint: string) =>
    new Failure('drill-unfit', `${what}, so the drill proved nothing about the backup`, {
      hint: `${hint}. The image was ${image}`,
      cause: words,
    });
  const lacksLocale = unfitFor(
    `The image lacks the locale ${locale} (lc_monetary), without which columns of type money restore wrongly`,
    "Give the database's service an image that has it, then drill it again",
  );
  if (fault === null) {
    if (lacks.includes('lc_monetary') && hasMoney) throw lacksLocale;
    return;
  }
  if (sha256 !== set.manifest.sha256) return;
  if (ranOut !== null) throw ranOut;
  if (lacks.includes('lc_monetary') && /type money/.test(words)) throw lacksLocale;
  const libraries = lacks.flatMap((each) => /^library (.*)$/.exec(each)?.[1] ?? []);
  if (libraries.length > 0) {
    throw unfitFor(
      `The image lacks ${libraries.join(', ')}, which the source loads at its start (shared_preload_libraries), and without which the dump does not restore`,
      "Give the database's service the image of the source, then drill it again",
    );
  }
  if (scratchServer(set.manifest).libraries.some((library) => /^(\$libdir\/)?timescaledb/.test(library))) {
    throw unfitFor(
      'TimescaleDB needs more than pg_restore for a restore, and a drill does not do that',
      'Restore it by hand, as its documentation says',
    );
  }
  const found = unfit.find(([said]) => said.test(`${fault.why}\n${words}`));
  if (found !== undefined) throw unfitFor(found[1], found[2].replace('MEMORY', enoughMemory(largestValue, memory)));
}

/** The failure if the kernel has killed something in the container because memory ran out; else null. */
export function memoryRanOut(records: Records, { memory, largestValue }: DrillRequest): Failure | null {
  if (!/^[1-9]/m.test(records.find('kills') ?? '')) return null;
  return new Failure(
    'drill-unfit',
    `Memory ran out in the scratch container, which may use ${formatBytes(memory)}, so the drill proved nothing about the backup`,
    { hint: `Set "drill-memory" to ${enoughMemory(largestValue, memory)}, then drill it again` },
  );
}

/** What of the source's server the image lacks. */
export const lacksIn = (records: Records): string[] =>
  records
    .get('found')
    .split('\n')
    .flatMap((line) => /^lacks (.*)$/.exec(line)?.[1] ?? []);
