// What must hold before a version goes out, and what its notes say.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Release, releaseNotes, releaseProblems } from '../../scripts/release-notes.ts';

const changelog = `# Changelog

Text that belongs to no version.

## [1.1.0] - 2026-12-01

### Added

- One thing.

\`\`\`
## [9.9.9] - in code
\`\`\`

## [1.0.0] - 2026-11-01

- The beginning.
`;
const sound: Release = { tag: 'v1.1.0', packageVersion: '1.1.0', lockVersion: '1.1.0', changelog };

test('a release whose parts agree has no problem', () => assert.deepEqual(releaseProblems(sound), []));

const broken: [what: string, changes: Partial<Release>, problem: RegExp][] = [
  ['a tag of another form', { tag: 'v1.1' }, /^v1\.1 is not a release tag/],
  ['a tag with more behind it', { tag: 'v1.1.0-rc.1' }, /is not a release tag/],
  ['no v', { tag: '1.1.0' }, /is not a release tag/],
  ['package.json of before', { packageVersion: '1.0.0' }, /^package\.json has version 1\.0\.0/],
  ['a lock of before', { lockVersion: '1.0.0' }, /^package-lock\.json has version 1\.0\.0/],
  [
    'another version first',
    { tag: 'v1.0.0', packageVersion: '1.0.0', lockVersion: '1.0.0' },
    /first section .* 1\.1\.0/,
  ],
  ['no date', { changelog: changelog.replace('2026-12-01', 'unreleased') }, /says "unreleased" for 1\.1\.0/],
  ['only a heading', { changelog: '## [1.1.0] - 2026-12-01\n\n' }, /says nothing about 1\.1\.0/],
  ['no section at all', { changelog: '# Changelog\n' }, /has no "## /],
  ['the same twice', { changelog: `${changelog}\n## [1.1.0] - 2026-12-01\n\n- Again.\n` }, /1\.1\.0 twice/],
];
for (const [what, changes, problem] of broken) {
  test(`not released: ${what}`, () => {
    const problems = releaseProblems({ ...sound, ...changes });
    assert.equal(problems.length, 1, problems.join('\n'));
    assert.match(problems[0] ?? '', problem);
  });
}

test('the notes are what the changelog says of that version, and no more', () => {
  assert.equal(releaseNotes(changelog, '1.0.0'), '- The beginning.');
  assert.match(releaseNotes(changelog, '1.1.0') ?? '', /^### Added\n\n- One thing\.[\s\S]*in code\n```$/);
  assert.equal(releaseNotes(changelog, '1.2.0'), null);
  assert.equal(releaseNotes(changelog, '9.9.9'), null);
});

test('the changelog of today has notes, and only the date of its newest version may be missing', () => {
  const root = join(import.meta.dirname, '..', '..');
  const versionIn = (file: string) => JSON.parse(readFileSync(join(root, file), 'utf8')).version as string;
  const version = versionIn('package.json');
  const today = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');
  const problems = releaseProblems({
    tag: `v${version}`,
    packageVersion: version,
    lockVersion: versionIn('package-lock.json'),
    changelog: today,
  });
  assert.deepEqual(
    problems.filter((problem) => !problem.includes('says "unreleased"')),
    [],
  );
  assert.ok((releaseNotes(today, version) ?? '').length > 100);
});
