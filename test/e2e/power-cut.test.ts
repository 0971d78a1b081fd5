// The power goes, for real: the backup folder is a disk that is copied within each step, with what had been flushed by then and
// nothing else. The copy is mounted as after a boot. What is flushed before what, on any file system: test/unit/power-cut.test.ts.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { appendHistory } from '../../shared/history/host-file.ts';
import { parseHistory } from '../../shared/history/record.ts';
import { connectLocally } from '../../shared/host/local.ts';
import { layoutLines } from '../../shared/sets/layout.ts';
import { asRoot, run, whereIs } from '../lab/command.ts';
import { temporaryFolder } from '../lab/folder.ts';
import { needPrograms } from '../lab/packages.ts';
import { record } from '../unit/history/records.ts';
import { contents, id, layOut, old, publishSet } from '../unit/published-set.ts';

await needPrograms({ 'mkfs.ext4': 'e2fsprogs', mount: 'mount' });
const root = temporaryFolder('power');
const [image, disk, cuts] = ['image', 'disk', 'cuts'].map((name) => join(root, name)) as [string, string, string];
mkdirSync(disk);
mkdirSync(cuts);
await run(['truncate', '--size', '24M', image]);
await run(asRoot([whereIs('mkfs.ext4') ?? 'mkfs.ext4', '-q', image]));
await mount(image, disk);
after(() => run(asRoot(['umount', '--lazy', disk])));
const { uid, gid } = userInfo();
await run(asRoot(['chown', `${uid}:${gid}`, disk]));

// Before each of these commands, the disk is copied as it is.
const bin = join(root, 'bin');
mkdirSync(bin);
writeFileSync(
  join(bin, 'recorder'),
  `#!/bin/bash
cut=$(printf '%s/%03d' '${cuts}' "$(ls '${cuts}' | wc -l)")
cp --sparse=always -- '${image}' "$cut" && printf '%s\\n' "\${0##*/} $*" >>'${join(root, 'steps')}'
PATH=\${PATH#*:} exec "\${0##*/}" "$@"
`,
);
chmodSync(join(bin, 'recorder'), 0o700);
for (const name of ['sync', 'ln', 'mv', 'rm', 'rmdir']) symlinkSync('recorder', join(bin, name));

/** Nothing comes to the disk but what is flushed: the kernel would do so by itself after a while. */
async function mount(from: string, to: string): Promise<void> {
  await run(asRoot(['mount', '-o', 'loop,noatime,commit=300', from, to]));
}

/** What was found in a folder, by the names of the files. */
function filesIn(folder: string, of: string): Record<string, string> {
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith(`backup_${of}.`)) : [];
  return Object.fromEntries(
    names.map((name) => [name.slice(`backup_${of}.`.length), readFileSync(join(folder, name), 'utf8')]),
  );
}

test('whenever the power goes during a publication, each set is whole or not there; once it is published, it is whole', async () => {
  layOut(disk);
  await run(['sync', '--file-system', disk]);
  // What has been written by now has been flushed; what is published has not.
  for (const ending of ['dump', 'schema.sql.gz']) {
    const file = join(disk, 'daily', `.partial-${id}`, `backup_${id}.${ending}`);
    await run(['rm', file]);
    writeFileSync(file, contents[ending] ?? '');
  }
  const { PATH } = process.env;
  process.env['PATH'] = `${bin}:${PATH}`;
  const known = record();
  try {
    assert.deepEqual((await publishSet(disk, { records: [] })).problems, []);
    await appendHistory(connectLocally(), { backupDir: disk, records: [known], onLog: () => {} });
  } finally {
    process.env['PATH'] = PATH;
  }
  await run(['cp', '--sparse=always', image, join(cuts, 'end')]);

  const steps = [...readFileSync(join(root, 'steps'), 'utf8').trimEnd().split('\n'), 'end'];
  const published = steps.findIndex((step) => step.startsWith('rm -rf'));
  const after = join(root, 'after');
  mkdirSync(after);
  const layout = layoutLines.map((line) => `'${line}'`).join(' ');
  const sweep = `source shared/survey/sets.sh; source shared/sets/folders.sh; layout=(${layout}); sweep "$1"`;
  for (const [at, name] of readdirSync(cuts).toSorted().entries()) {
    const where = `before: ${steps[at]}`;
    await mount(join(cuts, name), after);
    try {
      await run(['bash', '-c', sweep, 'bash', after]);
      for (const place of ['daily', 'weekly', `predeployment/${id}`]) {
        for (const set of [id, old]) {
          const found = filesIn(join(after, place), set);
          if (Object.keys(found).length > 0) assert.deepEqual(found, contents, `${set} in ${place}, ${where}`);
        }
      }
      assert.deepEqual(filesIn(join(after, 'weekly'), old), contents, where);
      if (at >= published) assert.deepEqual(filesIn(join(after, 'daily'), id), contents, where);
      if (name !== 'end') continue;
      for (const place of ['weekly', `predeployment/${id}`])
        assert.deepEqual(filesIn(join(after, place), id), contents);
      const history = readFileSync(join(after, 'rollback/history.jsonl'), 'utf8');
      assert.deepEqual(parseHistory(history).records, [known]);
    } finally {
      await run(asRoot(['umount', after]));
    }
  }
  assert.ok(published > 0 && steps.length > 20, `only ${steps.length} steps were found`);
});
