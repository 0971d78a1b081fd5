import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { logLine, type RunOutcome } from '../../shared/backups/log-line.ts';

const outcome: RunOutcome = {
  endedAt: new Date('2026-11-23T02:17:09.400Z'),
  status: 'succeeded',
  id: '20261123_021700',
  kind: 'scheduled',
  environment: 'prod',
  database: 'app',
  file: 'daily/backup_20261123_021700.dump.zst',
  bytes: 1000,
  sha256: 'ab12',
  durationMs: 9400.4,
  tiers: ['daily', 'weekly'],
  kept: 12,
  deleted: 1,
  actor: 'ada',
  runUrl: 'https://example.test/run/1',
  problem: null,
};

test('a run is one line that reads by itself', () => {
  assert.equal(
    logLine(outcome),
    '2026-11-23T02:17:09Z backup succeeded id=20261123_021700 kind=scheduled environment=prod database=app ' +
      'file=daily/backup_20261123_021700.dump.zst bytes=1000 sha256=ab12 ms=9400 tiers=daily,weekly kept=12 ' +
      'deleted=1 by=ada run=https://example.test/run/1',
  );
});

test('a run that came to nothing says why, and nothing that it does not know', () => {
  const unknown = { id: null, database: null, file: null, bytes: null, sha256: null, kept: null, deleted: null };
  const problem = { code: 'dump-failed', message: 'pg_dump: error: "x"\n::set-output' };
  assert.equal(
    logLine({ ...outcome, ...unknown, status: 'failed', tiers: [], actor: null, runUrl: null, problem }),
    '2026-11-23T02:17:09Z backup failed kind=scheduled environment=prod ms=9400 error=dump-failed ' +
      'message="pg_dump: error: \\"x\\"\\n::set-output"',
  );
});

test('whatever a value holds, the line is one line of visible characters, and the value can be read back', () => {
  const nasty = fc.constantFrom(
    '\n',
    '\r',
    '\x1b[2J',
    '"',
    '\\',
    '\u2028',
    '\u202e',
    '\x85',
    '\x7f',
    ' bytes=1',
    '\u{e0041}',
  );
  const text = fc.array(fc.oneof(nasty, fc.string({ unit: 'binary', maxLength: 4 }))).map((parts) => parts.join(''));
  fc.assert(
    fc.property(text, (message) => {
      const line = logLine({ ...outcome, problem: { code: 'x', message } });
      assert.doesNotMatch(line, /[\p{C}\p{Zl}\p{Zp}]/u);
      const written = line.slice(line.indexOf(' message=') + ' message='.length);
      assert.equal(written.startsWith('"') ? JSON.parse(written) : written, message.slice(0, 1000));
    }),
  );
});
