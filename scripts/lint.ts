// Looks at every file with Biome, and at every shell script with shellcheck.
import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { needPrograms } from '../test/lab/packages.ts';

const shellScripts = ['.ci/run', ...globSync('{host,scripts,shared,test,*-action}/**/*.sh').toSorted()];

await needPrograms({ shellcheck: 'shellcheck' });
const exits = [
  look('node_modules/@biomejs/biome/bin/biome', ['check', '--error-on-warnings', ...process.argv.slice(2)]),
  lookAtScripts(shellScripts),
];
if (exits.some((exit) => exit !== 0)) process.exitCode = 1;
else console.log(`No complaints: Biome over the repository, shellcheck over ${shellScripts.length} scripts.`);

/** A program takes its parameters by `takes`: shellcheck reads that as the declaration that it is, or it would know none of them. */
function lookAtScripts(scripts: readonly string[]): number {
  const folder = mkdtempSync(join(tmpdir(), 'atlasia-lint-'));
  for (const script of scripts) {
    mkdirSync(dirname(join(folder, script)), { recursive: true });
    const text = readFileSync(script, 'utf8')
      .replace(/^takes(_number|_word)? /gm, 'declare ')
      .replace(/^takes_list /gm, 'declare -a ');
    writeFileSync(join(folder, script), text);
  }
  const exit = run('shellcheck', scripts, folder);
  rmSync(folder, { recursive: true });
  return exit;
}

function look(program: string, programArguments: readonly string[]): number {
  return run(process.execPath, [program, ...programArguments]);
}

/** The exit; 1 also where the program could not be started or was killed. */
function run(program: string, programArguments: readonly string[], folder = '.'): number {
  const { status, error } = spawnSync(program, programArguments, { stdio: 'inherit', cwd: folder });
  if (error !== undefined) console.error(`${program} could not be run: ${error.message}`);
  return status ?? 1;
}
