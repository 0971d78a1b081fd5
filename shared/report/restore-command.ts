import type { ManifestSummary } from '../sets/manifest.ts';
import { parseSetFileName, setFileNames } from '../sets/naming.ts';
import { quoteForShell } from '../shell-quote.ts';

/** Where the set is, and where the database runs. */
export interface RestorePlace {
  /** Absolute, on the host: the folder that holds the files of the set. */
  folder: string;
  /** Name or id of the database's container. */
  container: string;
  /** The database user that restores: the POSTGRES_USER of the container. */
  user: string;
  /** Where zstd is installed. gzip is always on the host. */
  zstdOn: 'host' | 'container';
}

/** Blocks to paste into bash on the host, one at a time. Long commands continue after `\`; no value is ever cut. */
export interface RestoreCommands {
  /** The new, empty database that `restore` creates. */
  database: string;
  /** For a new server, before anything else: creates the roles, without passwords. Errors about existing ones are normal. */
  roles: string;
  /** Checks the files and restores them into a database of their own. Stops at the first error; prints a line when done. */
  restore: string;
  /** Replaces the old database, which is kept under another name, by the restored one. No session may be open. */
  swap: string;
}

/** PostgreSQL cuts names off after this many bytes. */
const longestName = 63;
const foldAt = 92;

/** The commands that restore a set, whatever the names of its database, user and folders. */
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
        // A dump does not include what ALTER DATABASE … SET has set.
        ['zcat', files.settings],
        [...fedIn(place), ...psql],
      ),
    ]),
  };
}

/**
 * A value for `--dbname` that means exactly this database, whatever its name: PostgreSQL's programs take a name that
 * looks like a connection string for one.
 */
export function databaseArgument(name: string): string {
  if (!name.includes('=') && !/^postgres(ql)?:\/\//.test(name)) return name;
  return `dbname='${name.replace(/[\\']/g, '\\$&')}'`;
}

/** Only for use in a pipe: otherwise `-i` would swallow whatever the operator pasted after it. */
function fedIn({ container }: RestorePlace): string[] {
  return ['docker', 'exec', '-i', container];
}

/** template0: other templates may already contain something, or have another encoding. */
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

/** Collation and character types as in the source; otherwise indexes and comparisons would differ. */
function localeOptions(manifest: ManifestSummary): string[] {
  const { locale, ctype, localeProvider, providerLocale, icuRules, serverVersion } = manifest;
  const libc =
    ctype === null || ctype === locale ? [`--locale=${locale}`] : [`--lc-collate=${locale}`, `--lc-ctype=${ctype}`];
  if (localeProvider === null || localeProvider === 'libc' || providerLocale === null) {
    // Without this option template0's provider is used, which on another server may be ICU. Older versions do not have it.
    return localeProvider === 'libc' && Number.parseInt(serverVersion, 10) >= 15
      ? ['--locale-provider=libc', ...libc]
      : libc;
  }
  // createdb has this option from version 16 on, and so do databases.
  const rules = localeProvider === 'icu' && icuRules !== null ? [`--icu-rules=${icuRules}`] : [];
  return [`--locale-provider=${localeProvider}`, `--${localeProvider}-locale=${providerLocale}`, ...rules, ...libc];
}

/** The pipeline stages that produce the plain archive or SQL; the first one reads the file. */
function readDump({ encryption, format, compression }: ManifestSummary, file: string, place: RestorePlace): Stage[] {
  const program = { zstd: 'zstd', gzip: format === 'custom' ? null : 'gzip', none: null }[compression];
  const decompress = program === null ? [] : [program, '-dc'];
  const isInside = program === 'zstd' && place.zstdOn === 'container';
  // In the container it is a stage of its own, so that the host's pipefail sees its exit code.
  const decompression = isInside ? [...fedIn(place), ...decompress] : decompress;
  if (encryption === 'age') {
    const decryption = ['age', '--decrypt', '--identity', 'key.txt', file];
    return program === null ? [decryption] : [decryption, decompression];
  }
  if (program === null) return [['cat', file]];
  return isInside ? [['cat', file], decompression] : [[...decompression, file]];
}

/** psql cannot tell truncated input from complete input, so the checksum before it and pipefail matter. */
function restoreInto({ format }: ManifestSummary, place: RestorePlace, name: string): Stage {
  const into = [`--username=${place.user}`, `--dbname=${databaseArgument(name)}`];
  if (format === 'custom') return [...fedIn(place), 'pg_restore', '--exit-on-error', ...into];
  // Not as a single transaction: the dump has transactions of its own, around large objects.
  const strict = ['-X', '--quiet', '--output=/dev/null', '-v', 'ON_ERROR_STOP=1'];
  return [...fedIn(place), 'psql', ...strict, ...into];
}

/** One command string is one transaction: both names change, or neither. */
function swapNames(database: string, restored: string): string {
  const old = nameWith(database, '_replaced');
  const rename = (from: string, to: string) => `ALTER DATABASE ${identifier(from)} RENAME TO ${identifier(to)}`;
  return `${rename(database, old)}; ${rename(restored, database)}`;
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Shortens the name by whole characters: if the server cut it, the result could be the very name it must not have. */
function nameWith(name: string, suffix: string): string {
  const characters = [...name];
  while (new TextEncoder().encode(characters.join('') + suffix).length > longestName) characters.pop();
  return characters.join('') + suffix;
}

/** The words of one command. */
type Stage = readonly string[];

/** In a subshell, so that an error does not end the operator's shell. */
function strictly(commands: readonly string[]): string {
  return `( set -e -o pipefail\n${commands.map(indented).join('\n')}\n)`;
}

function pipeline(...stages: readonly Stage[]): string {
  return stages.map((stage, index) => (index === 0 ? command(stage) : indented(command(stage)))).join(' |\n');
}

function indented(lines: string): string {
  return lines.replaceAll(/^/gm, '  ');
}

/** Quoted words contain no line breaks, so a line can be folded between any two of them. */
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

/** `--option='a value'` means the same as `'--option=a value'`, and reads better. */
function quoteWord(word: string): string {
  const [option = ''] = /^--[a-z-]+=/.exec(word) ?? [];
  return option + quoteForShell(word.slice(option.length));
}
