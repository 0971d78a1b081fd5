// What the runner sends in frames, and how it reaches the program that reads it: shared/host/pour.sh in a real bash.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { hostBash } from './sets/host-bash.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pour-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What it says when this is sent, in two pieces, what the program gets that reads with `reader`, and whether that counts as whole. */
function poured(sent: string, reader = 'cat') {
  writeFileSync(join(folder, 'sent'), sent);
  const said = hostBash(
    folder,
    ['host/pour.sh'],
    `mkdir way; mkfifo way/bytes; : >way/cut
    ${reader} <way/bytes >got &
    (folder=way main < <(head -c 4 sent; sleep 0.1; tail -c +5 sent)) || true
    cp way/cut . 2>/dev/null || true
    rm -r way; wait`,
  );
  return { said, got: readFileSync(join(folder, 'got'), 'utf8'), isWhole: !existsSync(join(folder, 'cut')) };
}

test('what comes in frames arrives in one piece, without the heartbeats', () => {
  assert.deepEqual(poured('3\nabc0\n2\n\n\n0\nend\n'), { said: [], got: 'abc\n\n', isWhole: true });
});

const cut = ['fail transfer-cut'];

test('without its end it is not whole', () => {
  assert.deepEqual(poured('3\nabc'), { said: cut, got: 'abc', isWhole: false });
  assert.deepEqual(poured('9\nabc'), { said: cut, got: 'abc', isWhole: false });
});

test('what nobody reads is not sent on', () => {
  const { said, isWhole } = poured(`70000\n${'x'.repeat(70_000)}end\n`, ':');
  assert.deepEqual([said, isWhole], [['fail transfer-unread'], false]);
});

describe('a length that is none, or more than this host should hold in memory, ends it:', () => {
  for (const length of ['10000000', '1k', '03', '']) {
    test(JSON.stringify(length), () => {
      assert.deepEqual(poured(`${length}\nabcend\n`), { said: cut, got: '', isWhole: false });
    });
  }
});
