import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

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
