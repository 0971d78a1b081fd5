// npm run mirrors [-- folder]: makes the content of each action's own repository (`atlasia/backup-action` and so on): a folder for each in
// the given folder (default: mirrors/), with its commit message next to it. It takes dist/ as it is: a release checks first that a clean
// build gives the same.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { mirrorReadme, originOf, shippedFiles } from './mirror-readme.ts';

const monorepo = 'https://github.com/atlasia/actions';
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const commit = execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();

const [given] = process.argv.slice(2);
const folder = given ?? 'mirrors';
if (given === undefined) rmSync(folder, { recursive: true, force: true });

for (const actionFile of globSync('*-action/action.yml').toSorted()) {
  const action = dirname(actionFile);
  const mirror = join(folder, action);
  if (existsSync(mirror)) throw new Error(`${mirror} already exists: name another folder`);
  mkdirSync(mirror, { recursive: true });
  const { text, programs } = atRoot(action, readFileSync(actionFile, 'utf8'));
  writeFileSync(join(mirror, 'action.yml'), text.replaceAll(`${monorepo}/blob/main/`, `${monorepo}/blob/v${version}/`));
  for (const bundle of programs.map(dirname)) cpSync(bundle, join(mirror, bundle), { recursive: true });
  const source = { url: monorepo, tag: `v${version}`, folder: action };
  const readme = mirrorReadme(readFileSync(join(action, 'README.md'), 'utf8'), source) + originOf(source);
  writeFileSync(join(mirror, 'README.md'), readme);
  for (const file of shippedFiles) cpSync(file, join(mirror, file));
  writeFileSync(join(folder, `${action}.commit.txt`), commitText(action));
  console.log(`${mirror}, from ${commit}`);
}

/** action.yml for the root of a repository, and the programs that it names. */
function atRoot(action: string, text: string): { text: string; programs: string[] } {
  const programs: string[] = [];
  const moved = text.replace(/^( +(?:pre|main|post): )(.*)$/gm, (_, key: string, path: string) => {
    const program = relative('.', resolve(action, path));
    if (!/^dist\/[a-z]+\/index\.js$/.test(program) || !existsSync(program)) {
      throw new Error(`${action}/action.yml names ${path}, which is not a bundle in dist/`);
    }
    programs.push(program);
    return `${key}${program}`;
  });
  if (programs.length < 2) throw new Error(`${action}/action.yml names no main and post`);
  return { text: moved, programs };
}

function commitText(action: string): string {
  return `${action} ${version}

Built from ${monorepo}/commit/${commit}
Issues and pull requests belong there: ${monorepo}
`;
}
