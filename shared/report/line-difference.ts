/** Cells in the table of the comparison: 4 MB of memory. A larger difference is given as one block removed, one added. */
const mostCells = 2_000_000;

/**
 * The lines by which two texts differ, in order: `- ` before a removed line, `+ ` before an added one. The list is the
 * shortest possible, unless the texts differ so much that it simply has all removed lines, then all added ones.
 */
export function changedLines(before: readonly string[], after: readonly string[]): string[] {
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < before.length - start && end < after.length - start && before.at(-1 - end) === after.at(-1 - end)) {
    end += 1;
  }
  const removed = before.slice(start, before.length - end);
  const added = after.slice(start, after.length - end);
  return removed.length * added.length > mostCells ? replaced(removed, added) : shortest(removed, added);
}

function replaced(removed: readonly string[], added: readonly string[]): string[] {
  return [...removed.map((line) => `- ${line}`), ...added.map((line) => `+ ${line}`)];
}

/** By the longest common subsequence: `common` at (i, j) is its length for the lines from i and from j on. */
function shortest(before: readonly string[], after: readonly string[]): string[] {
  const width = after.length + 1;
  const common = new Uint16Array((before.length + 1) * width);
  const at = (i: number, j: number): number => common[i * width + j] ?? 0;
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      common[i * width + j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }

  const lines: string[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      i += 1;
      j += 1;
    } else if (j === after.length || (i < before.length && at(i + 1, j) >= at(i, j + 1))) {
      lines.push(`- ${before[i]}`);
      i += 1;
    } else {
      lines.push(`+ ${after[j]}`);
      j += 1;
    }
  }
  return lines;
}
