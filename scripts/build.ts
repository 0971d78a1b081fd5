// Makes dist/ anew: TypeScript to JavaScript, then one bundle for each action and one for the post-step.
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

const bundles = {
  backup: 'backup-action/main.js',
  rollback: 'rollback-action/main.js',
  verify: 'verify-action/main.js',
  cleanup: 'shared/runner/cleanup.js',
};

// The bundler never removes what it wrote before, and names chunks after the paths of their modules.
rmSync('build', { recursive: true, force: true });
run('node_modules/typescript/bin/tsc', []);
for (const asset of globSync('{shared,*-action}/**/*.{sh,sql}')) cpSync(asset, `build/${asset}`);
cpSync('package.json', 'build/package.json');
leaveOutTokens();
for (const [name, entry] of Object.entries(bundles)) {
  const ncc = ['build', `build/${entry}`, '-o', `build/dist/${name}`, '--license', 'licenses.txt', '-q'];
  run('node_modules/@vercel/ncc/dist/ncc/cli.js', ncc);
}
completeLicences();

// Only what is whole replaces what was there, so that a failed build leaves the old bundles.
mkdirSync('build/old');
renameSync(mkdirIfMissing('dist'), 'build/old/dist');
renameSync('build/dist', 'dist');

/**
 * @actions/core loads a whole HTTP client, 1 MB of code, for `getIDToken`, which no action calls: two thirds of what a start takes. So
 * the bundles get it without that function.
 */
function leaveOutTokens(): void {
  const core = 'build/node_modules/@actions/core';
  const tokens = `${core}/lib/oidc-utils.js`;
  cpSync('node_modules/@actions/core', core, { recursive: true });
  if (!readFileSync(tokens, 'utf8').includes('export class OidcClient')) throw new Error(`${tokens} is another one`);
  writeFileSync(tokens, 'export const OidcClient = undefined;\n');
}

/** Where a bundle has chunks, the bundler lists the licences of these alone; what lies in index.js, the post-step has too. */
function completeLicences(): void {
  const licencesOf = (bundle: string) => `build/dist/${bundle}/licenses.txt`;
  const common = readFileSync(licencesOf('cleanup'), 'utf8');
  for (const bundle of Object.keys(bundles)) {
    if (bundle === 'cleanup') continue;
    const own = readFileSync(licencesOf(bundle), 'utf8');
    writeFileSync(licencesOf(bundle), own.includes(common) ? own : `${common}\n\n${own}`);
  }
}

function mkdirIfMissing(path: string): string {
  mkdirSync(path, { recursive: true });
  return path;
}

function run(program: string, programArguments: readonly string[]): void {
  execFileSync(process.execPath, [program, ...programArguments], { stdio: 'inherit' });
}
