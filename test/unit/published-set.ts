// A set that `take` has left, on this machine, and its publication by the program that hosts run.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Publication, type Published, publish } from '../../shared/backups/publish.ts';
import { connectLocally } from '../../shared/host/local.ts';
import { allFolders } from '../../shared/sets/layout.ts';
import { record } from './history/records.ts';

/** Of the set that is published, and of one from before. */
export const id = '20261124_021700';
export const old = '20261101_021700';

/** All files of a set, by what is behind its name. */
export const contents: Record<string, string> = {
  dump: 'the rows'.repeat(1_000),
  'schema.sql.gz': 'the schema',
  'manifest.json': `{"id": "${id}"}\n`,
  'report.txt': 'VERIFIED\n',
};

const holder = 'this test';

/** Makes the folders, with the old set in two tiers and what is to be published in a hidden folder, under the lock. */
export function layOut(folder: string): void {
  for (const each of allFolders) mkdirSync(join(folder, each));
  for (const tier of ['daily', 'weekly']) {
    for (const [ending, text] of Object.entries(contents)) {
      writeFileSync(join(folder, tier, `backup_${old}.${ending}`), text);
    }
  }
  const staging = join(folder, 'daily', `.partial-${id}`);
  mkdirSync(staging);
  for (const ending of ['dump', 'schema.sql.gz']) {
    writeFileSync(join(staging, `backup_${id}.${ending}`), contents[ending] ?? '');
  }
  writeFileSync(join(folder, '.lock.holder'), `${holder}\n`);
}

/** Publishes it into three tiers; the old set is to leave one of its two. */
export function publishSet(folder: string, changes: Partial<Publication> = {}): Promise<Published> {
  return publish(connectLocally(), {
    backupDir: folder,
    kind: 'scheduled',
    logFile: join(folder, 'backup.log'),
    logLine: 'went well',
    troubledLine: 'had troubles',
    onLog: () => {},
    holder,
    id,
    sidecars: new Map(
      ['manifest.json', 'report.txt'].map((ending) => [`backup_${id}.${ending}`, contents[ending] ?? '']),
    ),
    tiers: ['weekly', 'predeployment'],
    deletions: [{ id: old, tier: 'daily', action: 'delete', reason: '' }],
    records: [record()],
    ...changes,
  });
}
