// The newest good backup that a survey saw, also where the database is lost.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { factsOf, goodBackup, lastGoodIn } from '../../shared/sets/last-good.ts';
import type { Survey } from '../../shared/survey/survey.ts';
import { HostFolder } from './retention/host-folder.ts';
import { host } from './surveyed-host.ts';

/** The set of the own database, and newer ones that are damaged, or of another database. */
const own = '20261123_021700';
function sets(change: (folder: HostFolder) => void = () => {}): Survey['sets'] {
  const folder = new HostFolder();
  folder.add('20261122_021700', ['daily'], 'shop');
  folder.add(own, ['daily'], 'shop');
  folder.add('20261124_021700', ['daily'], 'shop');
  folder.truncate('20261124_021700', 'daily', 1);
  folder.add('20261125_021700', ['daily'], 'other');
  change(folder);
  const files = [...folder.files].map(([path, bytes]) => ({ path, bytes }));
  return { state: '', files, othersUnnamed: 0, manifests: folder.manifests, folderIds: [] };
}

const good = (id: string, database: string) => ({ database, lastGood: goodBackup(id) });
const lost = { probe: null };

describe('the last good backup is', () => {
  const table: [what: string, seen: Survey, given: string | null, expected: ReturnType<typeof lastGoodIn>][] = [
    ['the newest that is verified, of the own database', host({ sets: sets() }), null, good(own, 'shop')],
    ['that of the database that answers, whatever was given', host({ sets: sets() }), 'other', good(own, 'shop')],
    ['of a lost database, that of the given one', host({ sets: sets(), ...lost }), 'shop', good(own, 'shop')],
    [
      'and no damaged one tells which that is',
      host({ sets: sets((folder) => folder.truncate('20261125_021700', 'daily', 1)), ...lost }),
      null,
      good(own, 'shop'),
    ],
    [
      'of a lost one that was not given, the newest',
      host({ sets: sets(), ...lost }),
      null,
      good('20261125_021700', 'other'),
    ],
    [
      'none where there is none',
      host({ sets: sets((folder) => folder.files.clear()) }),
      'x',
      { database: 'shop', lastGood: 'none' },
    ],
    [
      'none where neither the database nor a backup tells a name',
      host({ sets: sets((folder) => folder.files.clear()), ...lost }),
      null,
      { database: null, lastGood: 'none' },
    ],
    [
      'none where those of the given database are not there',
      host({ sets: sets(), ...lost }),
      'x',
      { database: 'x', lastGood: 'none' },
    ],
    ['unknown where nobody looked', host({ sets: null }), 'x', { database: 'shop', lastGood: 'unknown' }],
    [
      'unknown where not everything could be looked at',
      host({ sets: { error: 'x' }, ...lost }),
      'x',
      { database: 'x', lastGood: 'unknown' },
    ],
  ];
  for (const [what, seen, given, expected] of table) {
    test(what, () => assert.deepEqual(lastGoodIn(seen, given), expected));
  }
});

test('it is as old as its name says, and of unknown age where that is none', () => {
  assert.deepEqual(goodBackup(own), { id: own, takenAt: new Date('2026-11-23T02:17:00Z') });
  assert.equal(goodBackup('20261323_021700'), 'unknown');
});

test('a database that cannot be asked, or does not answer, says nothing of itself', () => {
  assert.equal(factsOf(host())?.database, 'shop');
  assert.equal(factsOf(host(lost)), null);
  assert.equal(factsOf(host({ probe: { error: 'no container' } })), null);
  assert.equal(factsOf(host({ probe: { output: 'tool psql\nrefuses FATAL: x' } })), null);
});
