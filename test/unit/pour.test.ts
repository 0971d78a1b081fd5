// What the runner sends in frames, and how it reaches the program that reads it: shared/host/pour.sh in a real bash.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { bootstrap, connectionOver } from '../../shared/host/connection.ts';
import { incomingFolder } from '../../shared/host/pour.ts';
import type { Program } from '../../shared/host/program.ts';
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

test('the session in which bytes are sent has the deadline of the program that reads them', async () => {
  const connection = connectionOver('this machine', {
    start: () => spawn('bash', ['-c', 'tee "$1/asked-$$" | sh -c "$2"', 'bash', folder, bootstrap], { stdio: 'pipe' }),
    explain: async () => assert.fail('It ended without a result'),
    isProgram: false,
  });
  const reader: Program<{ how: string; incoming: string }> = {
    name: 'swallow',
    step: 'a trial',
    scripts: ['../../shared/host/incoming.sh', '../e2e/programs/swallow.sh'].map(
      (path) => new URL(path, import.meta.url),
    ),
  };
  const incoming = incomingFolder();
  const input = { folder: incoming, open: async () => Readable.from([Buffer.from('abc')], { objectMode: false }) };
  const { result } = connection.run(reader, { how: 'all', incoming }, { deadline: 47_000, atEnd: 'end', input });
  await result;
  await connection.close();
  const deadlines = readdirSync(folder).map((name) => {
    const [, deadline] = /\0deadline\0(\d+)\0/.exec(readFileSync(join(folder, name), 'utf8')) ?? [];
    return deadline;
  });
  assert.deepEqual(deadlines, ['47', '47']);
});
