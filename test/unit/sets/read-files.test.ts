// The files of a set that are sent belong together: shared/sets/read-files.sh in a real bash.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { hostBash } from './host-bash.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'read-files-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Puts files into a folder; each says which folder it is. */
function layOut(place: string, ...names: readonly string[]): void {
  mkdirSync(join(folder, place));
  for (const name of names) writeFileSync(join(folder, place, name), `${name} of ${place}\n`);
}

/** What is sent of the files `dump` and `report`, where `afterEachFile` happens once a file was sent. */
function send(afterEachFile = ':'): string[] {
  return hostBash(
    folder,
    ['sets/read-files.sh'],
    `backup_dir=$PWD folders=(daily weekly) names=(dump report)
    send_file() { head -c "$2" <&"$1"; ${afterEachFile}; }
    main`,
  );
}

test('all come from the first folder, also where the next one has them', () => {
  layOut('daily', 'dump', 'report');
  layOut('weekly', 'dump', 'report');
  assert.deepEqual(send(), ['dump of daily', 'report of daily']);
});

test('all come from the next one where the first has not all of them', () => {
  layOut('daily', 'dump');
  layOut('weekly', 'dump', 'report');
  assert.deepEqual(send(), ['dump of weekly', 'report of weekly']);
});

test('a set that no folder has in full is gone: none of it is sent', () => {
  layOut('daily', 'dump');
  layOut('weekly', 'report');
  assert.deepEqual(send(), ['fail set-gone', 'exit 1']);
});

test('what is removed while they are sent is sent to its end', () => {
  layOut('daily', 'dump', 'report');
  assert.deepEqual(send('rm -rf daily'), ['dump of daily', 'report of daily']);
});
