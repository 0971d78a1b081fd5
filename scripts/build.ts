// Makes dist/ anew: TypeScript to JavaScript, then one bundle for each action and one for the post-step.
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, rmSync } from 'node:fs';

const bundles = { backup: 'backup-action/main.js', cleanup: 'shared/runner/cleanup.js' };

// The bundler never removes what it wrote before, and names chunks after the paths of their modules.
for (const folder of ['build', 'dist']) rmSync(folder, { recursive: true, force: true });
run('node_modules/typescript/bin/tsc', []);
for (const asset of globSync('shared/**/*.{sh,sql}')) cpSync(asset, `build/${asset}`);
cpSync('package.json', 'build/package.json');
for (const [name, entry] of Object.entries(bundles)) {
  run('node_modules/@vercel/ncc/dist/ncc/cli.js', [
    'build',
    `build/${entry}`,
    '-o',
    `dist/${name}`,
    '--license',
    'licenses.txt',
    '-q',
  ]);
}

function run(program: string, programArguments: readonly string[]): void {
  execFileSync(process.execPath, [program, ...programArguments], { stdio: 'inherit' });
}
