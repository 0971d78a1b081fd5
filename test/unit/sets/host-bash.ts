// Programs that read and write sets on the host, in a real bash on a folder of this machine.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const shared = join(import.meta.dirname, '../../../shared');

/** As programs on the host begin; what they say to the runner is printed instead. */
const frame = `
  set -euo pipefail
  takes() { :; }; takes_list() { :; }; takes_number() { :; }; takes_word() { :; }; takes_stream() { :; }
  record() { printf '%s=%s\\n' "$1" "$2"; }
  progress() { printf '%s: %s\\n' "$1" "$2"; }
  fail() { printf 'fail %s\\n' "$1"; exit 1; }
`;

/** Runs `code` in the folder, after these scripts. What they said, line by line, and the last line is `exit N` if they failed. */
export function hostBash(folder: string, scripts: readonly string[], code: string): string[] {
  const sources = scripts.map((name) => `source '${join(shared, name)}'\n`).join('');
  const { stdout, status } = spawnSync('bash', ['--norc', '-c', `${frame}${sources}${code}`], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 30_000,
  });
  return [...stdout.split('\n').filter(Boolean), ...(status === 0 ? [] : [`exit ${status}`])];
}
