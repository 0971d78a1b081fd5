// npm run release -- v1.2.3 [folder]: checks that tag, package and changelog agree, and writes what a release has besides the mirrors: its
// notes, the gate for hosts, and the list of programs that the gate lets through.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hostCode, listOf } from './host-programs.ts';
import { mirrorReadme } from './mirror-readme.ts';
import { releaseNotes, releaseProblems } from './release-notes.ts';

const [tag = '', folder = 'release'] = process.argv.slice(2);
const changelog = readFileSync('CHANGELOG.md', 'utf8');
const versionIn = (file: string): string => JSON.parse(readFileSync(file, 'utf8')).version;
const problems = releaseProblems({
  tag,
  packageVersion: versionIn('package.json'),
  lockVersion: versionIn('package-lock.json'),
  changelog,
});
if (problems.length > 0) {
  for (const problem of problems) console.error(problem);
  process.exit(1);
}

const version = tag.slice(1);
mkdirSync(folder, { recursive: true });
const notes = releaseNotes(changelog, version) ?? '';
const source = { url: 'https://github.com/atlasia/actions', tag, folder: '.' };
writeFileSync(join(folder, 'notes.md'), `${mirrorReadme(notes, source)}\n`);
writeFileSync(join(folder, 'programs.sha256'), listOf(await hostCode(process.cwd()), version));
copyFileSync('host/gate.sh', join(folder, 'gate.sh'));
console.log(`${tag} can be released. Its notes, gate and list of programs are in ${folder}/`);
