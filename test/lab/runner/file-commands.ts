/** The key-value pairs of a GITHUB_OUTPUT, GITHUB_STATE or GITHUB_ENV file; throws where the runner fails the step. */
export function pairsIn(file: string): Record<string, string> {
  const pairs: Record<string, string> = {};
  const lines = file.split('\n');
  // The last newline ends a line and begins none.
  if (lines.at(-1) === '') lines.pop();

  while (lines.length > 0) {
    const line = (lines.shift() ?? '').replace(/\r$/, '');
    if (line === '') continue;
    const match = /^(?<name>.*?)(?<operator>=|<<)(?<rest>.*)$/s.exec(line);
    const { name, operator, rest = '' } = match?.groups ?? {};
    if (!name || (operator === '<<' && rest === '')) throw new Error(`Invalid format '${line}'`);
    pairs[name] = operator === '=' ? rest : hereDocument(lines, rest);
  }
  return pairs;
}

/** Takes the lines up to the delimiter, and that one, off the front. */
function hereDocument(lines: string[], delimiter: string): string {
  const end = lines.findIndex((line) => line.replace(/\r$/, '') === delimiter);
  if (end < 0) throw new Error(`Invalid value. Matching delimiter not found '${delimiter}'`);
  return lines
    .splice(0, end + 1)
    .slice(0, -1)
    .join('\n');
}
