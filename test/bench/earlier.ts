import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Measures today's bundle of an action, and beside it that of an earlier commit, if one is named. */
export async function todayAnd(
  against: string | undefined,
  name: string,
  measure: (action: string, label: string) => Promise<void>,
): Promise<void> {
  await measure(name, '');
  if (against === undefined) return;
  const earlier = actionOf(name, against);
  try {
    await measure(earlier.folder, `${against}: `);
  } finally {
    earlier.remove();
  }
}

/** An action as a commit has it, with the bundle that was built then, in a folder of its own. */
export function actionOf(name: string, commit: string): { folder: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'earlier-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    const files = execFileSync('git', ['archive', commit, 'dist', `${name}-action`], { maxBuffer: 2 ** 28 });
    execFileSync('tar', ['--extract', '--directory', folder], { input: files });
  } catch (error) {
    remove();
    throw error;
  }
  return { folder: join(folder, `${name}-action`), remove };
}
