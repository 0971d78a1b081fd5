import { Failure } from '../failure.ts';
import { checkDumpTools, type DatabaseFacts } from '../postgres/probe.ts';
import type { Compression, DumpFormat } from '../sets/manifest.ts';
import type { DumpEncoding } from '../sets/naming.ts';
import type { Survey } from '../survey/survey.ts';
import { formatBytes } from '../units.ts';
import { askedDatabase, type FoundDatabase, findDatabase } from './find-database.ts';
import { checkHost, collector, type HostNeeds, throwAny } from './host-checks.ts';

/** What a backup needs of the host. */
export interface BackupNeeds extends HostNeeds {
  databaseService: string | null;
  format: DumpFormat;
  compression: Compression | 'auto';
  encryption: 'none' | 'age';
  /** Bytes. */
  minFreeSpace: number;
  /** Size of the database's previous verified backup if it has this format and compression; else null. */
  previousBytes: (database: string, encoding: DumpEncoding) => number | null;
}

/** A host on which a backup can be taken, and how. */
export interface ReadyHost {
  database: DatabaseFacts;
  container: FoundDatabase;
  encoding: DumpEncoding;
  /** Where the dump is compressed: in the container if it has the program, because moving data out of it is slow. */
  where: 'container' | 'host';
  /** Bytes that this backup will probably need. */
  estimate: number;
}

/** Backups grow over time. A dump, once compressed, has less than half the size of its database. */
const growth = 1.2;
const compressedShare = 0.5;
/** For a set's files and their links in every tier, with room to spare. */
const neededInodes = 100;

/**
 * Judges the survey, before anything is written.
 * @throws Failure with the code of the check that failed; `host-not-ready`, which lists them, if several did
 */
export function judgeBackupHost(survey: Survey, needs: BackupNeeds): ReadyHost {
  const { failures, collect } = collector();
  // Checks that depend on a failed one are skipped.
  const docker = checkHost(survey, needs, collect);
  const container = docker && collect(() => findDatabase(survey, needs));
  const database = container && collect(() => askedDatabase(survey));
  if (database) collect(() => checkDumpTools(database));
  collect(() => checkEncryption(survey, needs));
  const compressor = database && collect(() => chooseCompression(survey, database, needs));
  const previous = compressor && needs.previousBytes(database.database, compressor.encoding);
  const estimate = compressor && estimateOf(database, compressor.encoding, previous ?? null);
  if (estimate !== undefined) collect(() => checkSpace(survey, estimate, needs, previous ?? null));

  throwAny(failures);
  if (!container || !database || !compressor || estimate === undefined) throw new Error('A check failed unseen');
  return { database, container, estimate, ...compressor };
}

/**
 * zstd if available, else gzip. For a custom dump, pg_dump itself does the gzip.
 * @throws Failure `no-compressor`
 */
export function chooseCompression(
  survey: Survey,
  database: DatabaseFacts,
  { format, compression, encryption }: Pick<BackupNeeds, 'format' | 'compression' | 'encryption'>,
): Pick<ReadyHost, 'encoding' | 'where'> {
  const inside = (tool: string) => database.tools.has(tool);
  const wanted =
    compression === 'auto' ? autoCompression(format, inside('zstd') || survey.tools.has('zstd')) : compression;
  const encoding: DumpEncoding = { format, compression: wanted, encryption };
  const program = wanted === 'gzip' && format === 'custom' ? 'none' : wanted;
  if (program === 'none' || inside(program)) return { encoding, where: 'container' };
  if (survey.tools.has(program)) return { encoding, where: 'host' };
  throw new Failure('no-compressor', `Neither the host nor the database container has ${program}`, {
    hint: `On the host, as root: apt-get install ${program}. Or set "compression" to auto`,
  });
}

/**
 * It encrypts on the host: what the database's container holds is plain anyway, and few images have age.
 * @throws Failure `no-age`
 */
export function checkEncryption(survey: Pick<Survey, 'tools'>, { encryption }: Pick<BackupNeeds, 'encryption'>): void {
  if (encryption === 'none' || survey.tools.has('age')) return;
  throw new Failure('no-age', 'age is not installed on the host, so the backup cannot be encrypted there', {
    hint: 'On the host, as root: apt-get install age',
  });
}

/** Plain dumps are what the former scripts made; they stay compressed with gzip as before. */
function autoCompression(format: DumpFormat, zstd: boolean): Compression {
  return format === 'custom' && zstd ? 'zstd' : 'gzip';
}

/** Bytes that the next backup will probably have. @param previous bytes of the one before, if it is alike; else null */
export function estimateOf(database: DatabaseFacts, { compression }: DumpEncoding, previous: number | null): number {
  if (previous !== null) return Math.ceil(previous * growth);
  return Math.ceil(database.sizeBytes * (compression === 'none' ? 1 : compressedShare));
}

/**
 * @param estimate bytes
 * @param previous bytes of the backup from which that was estimated; null if there was none
 * @throws Failure `no-space`, `no-inodes`
 */
export function checkSpace(
  survey: Survey,
  estimate: number,
  { minFreeSpace, backupDir }: Pick<BackupNeeds, 'minFreeSpace' | 'backupDir'>,
  previous: number | null,
): void {
  const needed = Math.max(estimate, minFreeSpace);
  if (survey.freeBytes < needed) {
    const why =
      needed === minFreeSpace && minFreeSpace > estimate
        ? 'the input "min-free-space"'
        : previous === null
          ? 'estimated from the size of the database'
          : 'estimated from the previous backup';
    throw new Failure(
      'no-space',
      `The disk of ${backupDir} has ${formatBytes(survey.freeBytes)} free; ${formatBytes(needed)} needed (${why})`,
      { hint: `See what fills it: df -h ${backupDir}; docker system df. Nothing was deleted to make room` },
    );
  }
  if (survey.freeInodes !== null && survey.freeInodes < neededInodes) {
    throw new Failure('no-inodes', `The disk of ${backupDir} has ${survey.freeInodes} inodes left`, {
      hint: `Remove files that you no longer need: df -i ${backupDir}`,
    });
  }
}
