import type { Connection } from '../host/connection.ts';
import type { Program } from '../host/program.ts';
import type { Records } from '../host/records.ts';
import { pathOf, pathsOf, type VerifiedSet } from './catalogue.ts';
import { parseSetFileName, type SetFileNames, setFileNames } from './naming.ts';

export interface ReadRequest {
  backupDir: string;
  sets: readonly VerifiedSet[];
  /** Milliseconds. */
  timeout: number;
  signal: AbortSignal;
  onLog: (line: string) => void;
  /** Called before a set is read, with the path of its dump relative to the backup folder. */
  onSet: (path: string) => void;
}

/** The result of reading a set in full. */
export interface ReadSet {
  id: string;
  /** How many files the set has. */
  files: number;
  /** One line each; empty if every byte is as it was written. */
  faults: string[];
}

export const program: Program<{
  backup_dir: string;
  lists: readonly string[];
  files: readonly string[];
  first_names: readonly string[];
}> = {
  name: 'read-sets',
  step: 'reading the backups',
  scripts: [new URL('./read-sets.sh', import.meta.url)],
};

/** Reads every file of these sets from the disk, and compares it with the checksums of its set. */
export async function readSets(connection: Connection, request: ReadRequest): Promise<ReadSet[]> {
  const files = request.sets.flatMap((set) => {
    const first = pathOf(set);
    return filesOf(namesOf(set)).flatMap((name) =>
      pathsOf(set).map((folder) => ({ file: `${folder}/${name}`, firstName: `${first}/${name}` })),
    );
  });
  const dumps = new Set(request.sets.map((set) => `${pathOf(set)}/${namesOf(set).dump}`));
  const parameters = {
    backup_dir: request.backupDir,
    lists: request.sets.flatMap((set) => {
      const { sha256, md5 } = namesOf(set);
      return [`${pathOf(set)}/${sha256}`, `${pathOf(set)}/${md5}`];
    }),
    files: files.map(({ file }) => file),
    first_names: files.map(({ firstName }) => firstName),
  };
  const { result } = connection.run(program, parameters, {
    deadline: request.timeout,
    atEnd: 'end',
    signal: request.signal,
    onLog: request.onLog,
    onProgress: (_, path) => {
      if (dumps.has(path)) request.onSet(path);
    },
  });
  const reading = readRecords(await result);
  return request.sets.map((set) => judgeReading(set, reading));
}

/** What was read, by path relative to the backup folder. */
export interface Reading {
  /** SHA-256 in hex; null for a file that could not be read. */
  sums: ReadonlyMap<string, string | null>;
  /** Contents of the checksum lists. */
  lists: ReadonlyMap<string, string>;
}

function readRecords(records: Records): Reading {
  const pair = (value: string, separator: string): [string, string] => {
    const at = value.indexOf(separator);
    return [value.slice(0, at), value.slice(at + 1)];
  };
  return {
    sums: new Map<string, string | null>([
      ...records.all('sum').map((value): [string, string] => {
        const [sum, path] = pair(value, ' ');
        return [path, sum];
      }),
      ...records.all('unread').map((path): [string, null] => [path, null]),
    ]),
    lists: new Map(records.all('list').map((value) => pair(value, '\n'))),
  };
}

/** Compares each file with its checksum lists and the manifest: it must agree with all that name it. */
export function judgeReading(set: VerifiedSet, { sums, lists }: Reading): ReadSet {
  const names = namesOf(set);
  const [folder = 'daily', ...others] = pathsOf(set);
  const files = filesOf(names);
  const sha256 = lists.get(`${folder}/${names.sha256}`);
  const md5 = lists.get(`${folder}/${names.md5}`);
  const faults: string[] = [];
  if (sha256 === undefined) faults.push(`${names.sha256} is missing`);
  if (md5 === undefined) faults.push(`${names.md5} is missing`);
  const listed = listedSums(sha256 ?? '');
  for (const name of files) {
    const sum = sums.get(`${folder}/${name}`) ?? null;
    const expected = listed.get(name);
    if (sum === null && expected === undefined && wasNotMade(name, set)) continue;
    if (sum === null) faults.push(`${name} could not be read`);
    else if (sha256 !== undefined && expected === undefined) faults.push(`${names.sha256} does not list ${name}`);
    else if (expected !== undefined && sum !== expected) faults.push(`${name} does not match ${names.sha256}`);
    if (name === names.dump && sum !== null && sum !== set.manifest.sha256)
      faults.push(`${name} does not match the manifest`);
  }
  // Hard links are one file and are read once. After the folders were copied they are separate files, and each was read.
  for (const path of others.flatMap((other) => files.map((name) => `${other}/${name}`))) {
    const sum = sums.get(path);
    if (sum === undefined) continue;
    const isSame = sum === sums.get(`${folder}/${path.slice(path.lastIndexOf('/') + 1)}`);
    if (sum === null) faults.push(`${path} could not be read`);
    else if (!isSame) faults.push(`${path} differs from the file in ${folder}`);
  }
  if (md5 !== undefined && listedSums(md5).get(names.dump) !== set.manifest.md5)
    faults.push(`${names.md5} and the manifest disagree on ${names.dump}`);
  return { id: set.id, files: files.length, faults };
}

const allSides = ['schema', 'globals', 'settings'] as const;

/** What was taken beside the dump. A dump counts even if some of that failed; its manifest says what is there. */
export function sidesOf({ manifest: { checks } }: VerifiedSet): (typeof allSides)[number][] {
  return allSides.filter((side) => checks.some(({ name, result }) => name === side && result === 'passed'));
}

function wasNotMade(name: string, set: VerifiedSet): boolean {
  const names = namesOf(set);
  const side = allSides.find((part) => names[part] === name);
  return side !== undefined && !sidesOf(set).includes(side);
}

/** Reads lines as `sha256sum` writes them: sum, a space, a space or an asterisk, name. */
export function listedSums(text: string): Map<string, string> {
  const lines = text.split('\n').map((line) => /^([0-9a-f]+) [ *](.+)$/.exec(line));
  return new Map(lines.flatMap((match) => (match === null ? [] : [[match[2] ?? '', match[1] ?? '']])));
}

/** The file names of a set. */
export function namesOf({ id, manifest }: VerifiedSet): SetFileNames {
  return setFileNames(parseSetFileName(manifest.file)?.prefix ?? 'backup', id, manifest);
}

/** The files that its checksum lists name. */
export function filesOf({ dump, schema, globals, settings, manifest, report }: SetFileNames): string[] {
  return [dump, schema, globals, settings, manifest, report];
}
