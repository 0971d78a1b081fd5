// Looks at every file with Biome, and at every shell script with shellcheck.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { needPrograms } from '../test/lab/packages.ts';

const shellScripts = ['.ci/run', ...globSync('{shared,test,*-action}/**/*.sh').toSorted()];

await needPrograms({ shellcheck: 'shellcheck' });
const exits = [
  look('node_modules/@biomejs/biome/bin/biome', ['check', '--error-on-warnings', ...process.argv.slice(2)]),
  run('shellcheck', shellScripts),
];
if (exits.some((exit) => exit !== 0)) process.exitCode = 1;
else console.log(`No complaints: Biome over the repository, shellcheck over ${shellScripts.length} scripts.`);

function look(program: string, programArguments: readonly string[]): number {
  return run(process.execPath, [program, ...programArguments]);
}

/** The exit; 1 also where the program could not be started or was killed. */
function run(program: string, programArguments: readonly string[]): number {
  const { status, error } = spawnSync(program, programArguments, { stdio: 'inherit' });
  if (error !== undefined) console.error(`${program} could not be run: ${error.message}`);
  return status ?? 1;
}
