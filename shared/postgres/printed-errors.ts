// What PostgreSQL's programs print, as postgres-words.sh on the host passes it on.

/** Everything that PostgreSQL said in this run, if it said something; in the backup folder on the host. */
export const wordsFile = (backupDir: string, run: string): string => `${backupDir}/postgres-${run}.log`;

const server = /^(?:.*?[: ])?(?:ERROR|FATAL|PANIC): {2}(.*)$/;
const error = /^(?:.*?[: ])?(?:ERROR|PANIC): {2}(.*)$/;
const program = /^(?:pg_dump|pg_dumpall|pg_restore|psql): (?:\[[a-z() ]+\] )?(?:error|fatal): (.*)$/;
const cutOff = /^(?:.*: )?(server closed the connection unexpectedly|connection to server was lost)/;
/** If one session fails, another may lose the snapshot that it shares with it: that is a consequence. */
const isConsequence = (text: string) =>
  /^(invalid snapshot identifier|could not import the requested snapshot)/.test(text);

/** An error whose words are hidden. */
export const hidden = '…';

/**
 * The first error among these lines, without what stands in front of it: what the server says goes before what a program
 * says, a cause before its consequence, and known words before hidden ones. null if there is none.
 */
export function firstError(lines: readonly string[]): string | null {
  const matching = (pattern: RegExp) => lines.flatMap((line) => pattern.exec(line)?.[1]?.trim() ?? []);
  const ofServer = [...matching(error), ...matching(server)];
  const known = ofServer.find((text) => text !== hidden && !isConsequence(text));
  const others = [...matching(cutOff), ...matching(program)].filter((text) => text !== hidden);
  return (
    known ?? ofServer.find((text) => !isConsequence(text)) ?? others[0] ?? ofServer[0] ?? matching(program)[0] ?? null
  );
}

/** The first statement that the server refused; null if none was. */
export function firstRefusal(lines: readonly string[]): string | null {
  return lines.flatMap((line) => error.exec(line)?.[1]?.trim() ?? [])[0] ?? null;
}

/** The table whose rows were being restored when it failed, in quotes; null if pg_restore did not say. */
export function failedTable(lines: readonly string[]): string | null {
  return lines.flatMap((line) => /COPY failed for table (".+"): (?:ERROR|FATAL): {2}/.exec(line)?.[1] ?? [])[0] ?? null;
}

/** An error for people: its words may be hidden, because they are a function's own, or of a shape that is not known. */
export function describeError(text: string, file: string | null): string {
  if (text !== hidden) return text;
  const where = file === null ? 'they are not kept, since the backup is encrypted' : `they are in ${file} on the host`;
  return `an error whose words may hold data; ${where}`;
}
