import type { ManifestSummary } from '../sets/manifest.ts';
import { parseSetFileName, setFileNames } from '../sets/naming.ts';
import { quoteForShell } from '../shell-quote.ts';

/** Where a set stands and the database runs. */
export interface RestorePlace {
  /** Absolute, on the host: the folder that holds the files of the set. */
  folder: string;
  /** Name or id of the database's container. */
  container: string;
  /** The database user that restores: the POSTGRES_USER of the container. */
  user: string;
  /** Where zstd is. gzip is always on the host. */
  zstdOn: 'host' | 'container';
}

/** Blocks to paste into bash on the host, each for itself. Lines are kept short with `\`, but no value is ever cut. */
export interface RestoreCommands {
  /** The new, empty database that `restore` makes. */
  database: string;
  /** For a new server, before anything else: makes the roles, without passwords. Complaints about known ones are normal. */
  roles: string;
  /** Checks the files and restores them beside what is there. Stops at the first error; its last line says that it is done. */
  restore: string;
  /** Puts the restored database in place of the old one, which is kept under another name. No session may be open. */
  swap: string;
}

/** PostgreSQL cuts names off behind this many bytes. */
const longestName = 63;
const foldAt = 92;

/** The commands that restore a set, whatever its database, user and folders are called. */
export function restoreCommands(manifest: ManifestSummary, place: RestorePlace): RestoreCommands {
  const prefix = parseSetFileName(manifest.file)?.prefix ?? 'backup';
  const files = setFileNames(prefix, manifest.id, manifest);
  const restored = nameWith(manifest.database, '_restored');
  const maintenance = manifest.database === 'postgres' ? 'template1' : 'postgres';
  const psql = ['psql', '-X', '--quiet', `--username=${place.user}`, `--dbname=${maintenance}`];
  const cd = command(['cd', place.folder]);

  return {
    database: restored,
    roles: `${cd} &&\n${pipeline(['zcat', files.globals], [...fedIn(place), ...psql])}`,
    restore: strictly([
      cd,
      command(['sha256sum', '--check', files.sha256]),
      command(createDatabase(manifest, place, restored)),
      pipeline(...readDump(manifest, files.dump, place), restoreInto(manifest, place, restored)),
      command(['echo', `Restored into ${restored}`]),
    ]),
    swap: strictly([
      cd,
      command(['docker', 'exec', place.container, ...psql, `--command=${swapNames(manifest.database, restored)}`]),
      pipeline(
        // A dump leaves out what ALTER DATABASE … SET said.
        ['zcat', files.settings],
        [...fedIn(place), ...psql],
      ),
    ]),
  };
}

/**
 * A value for `--dbname`, where PostgreSQL's programs read a connection string if it looks like one.
 * Exactly this database is meant, whatever its name.
 */
export function databaseArgument(name: string): string {
  if (!name.includes('=') && !/^postgres(ql)?:\/\//.test(name)) return name;
  return `dbname='${name.replace(/[\\']/g, '\\$&')}'`;
}

/** Only where there is a pipe: else `-i` would swallow what the operator has pasted behind it. */
function fedIn({ container }: RestorePlace): string[] {
  return ['docker', 'exec', '-i', container];
}

/** template0: other templates may hold something already, or have another encoding. */
function createDatabase(manifest: ManifestSummary, place: RestorePlace, name: string): string[] {
  return [
    ...['docker', 'exec', place.container, 'createdb', `--username=${place.user}`, '--template=template0'],
    ...[...createOptions(manifest), '--', name],
  ];
}

/** Options of createdb for a database like the source. */
export function createOptions(manifest: ManifestSummary): string[] {
  return [`--encoding=${manifest.encoding}`, ...localeOptions(manifest)];
}

/** Sorting and letters as the source had them, or indexes and comparisons would differ. */
function localeOptions({ locale, ctype, localeProvider, providerLocale, serverVersion }: ManifestSummary): string[] {
  const libc =
    ctype === null || ctype === locale ? [`--locale=${locale}`] : [`--lc-collate=${locale}`, `--lc-ctype=${ctype}`];
  if (localeProvider === null || localeProvider === 'libc' || providerLocale === null) {
    // Else it is that of template0, which on another server may be ICU. Older versions have no such option.
    return localeProvider === 'libc' && Number.parseInt(serverVersion, 10) >= 15
      ? ['--locale-provider=libc', ...libc]
      : libc;
  }
  return [`--locale-provider=${localeProvider}`, `--${localeProvider}-locale=${providerLocale}`, ...libc];
}

/** The stages that give the plain archive or SQL; the first reads the file. */
function readDump({ encryption, format, compression }: ManifestSummary, file: string, place: RestorePlace): Stage[] {
  const program = { zstd: 'zstd', gzip: format === 'custom' ? null : 'gzip', none: null }[compression];
  const decompress = program === null ? [] : [program, '-dc'];
  const isInside = program === 'zstd' && place.zstdOn === 'container';
  // In the container it is a stage of its own, so that the host's pipefail sees how it ends.
  const decompression = isInside ? [...fedIn(place), ...decompress] : decompress;
  if (encryption === 'age') {
    const decryption = ['age', '--decrypt', '--identity', 'key.txt', file];
    return program === null ? [decryption] : [decryption, decompression];
  }
  if (program === null) return [['cat', file]];
  return isInside ? [['cat', file], decompression] : [[...decompression, file]];
}

/** psql takes any end of its input for a good one, so the checksum before it and pipefail matter. */
function restoreInto({ format }: ManifestSummary, place: RestorePlace, name: string): Stage {
  const into = [`--username=${place.user}`, `--dbname=${databaseArgument(name)}`];
  if (format === 'custom') return [...fedIn(place), 'pg_restore', '--exit-on-error', ...into];
  // Not as a single transaction: the dump has some of its own, around large objects.
  const strict = ['-X', '--quiet', '--output=/dev/null', '-v', 'ON_ERROR_STOP=1'];
  return [...fedIn(place), 'psql', ...strict, ...into];
}

/** One command string is one transaction: both names change, or none does. */
function swapNames(database: string, restored: string): string {
  const old = nameWith(database, '_replaced');
  const rename = (from: string, to: string) => `ALTER DATABASE ${identifier(from)} RENAME TO ${identifier(to)}`;
  return `${rename(database, old)}; ${rename(restored, database)}`;
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Shortened by whole characters where the server would cut it, maybe down to the name that it must not have. */
function nameWith(name: string, suffix: string): string {
  const characters = [...name];
  while (new TextEncoder().encode(characters.join('') + suffix).length > longestName) characters.pop();
  return characters.join('') + suffix;
}

/** The words of one command. */
type Stage = readonly string[];

/** In a shell of its own, so that the operator's goes on after an error. */
function strictly(commands: readonly string[]): string {
  return `( set -e -o pipefail\n${commands.map(indented).join('\n')}\n)`;
}

function pipeline(...stages: readonly Stage[]): string {
  return stages.map((stage, index) => (index === 0 ? command(stage) : indented(command(stage)))).join(' |\n');
}

function indented(lines: string): string {
  return lines.replaceAll(/^/gm, '  ');
}

/** Quoted words hold no line breaks, so a line can be folded between any two. */
function command(words: Stage): string {
  const lines: string[] = [];
  for (const word of words.map(quoteWord)) {
    const last = lines.at(-1);
    if (last === undefined) lines.push(word);
    else if (last.length + 1 + word.length <= foldAt) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(`    ${word}`);
  }
  return lines.join(' \\\n');
}

/** `--option='a value'` reads better than `'--option=a value'`, and is the same. */
function quoteWord(word: string): string {
  const [option = ''] = /^--[a-z-]+=/.exec(word) ?? [];
  return option + quoteForShell(word.slice(option.length));
}
