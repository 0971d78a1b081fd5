import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Failure } from '../../../shared/failure.ts';
import { auditLine } from '../../../shared/history/audit-line.ts';
import {
  type HistoryRecord,
  historyLine,
  isRecordId,
  parseHistory,
  readHistoryRecord,
  recordId,
} from '../../../shared/history/record.ts';
import { hex, image, record, release } from './records.ts';

const full: HistoryRecord = {
  version: 1,
  id: '4711-2-0123abcd',
  at: '2026-11-25T02:03:04.567Z',
  environment: 'prod',
  event: 'rollback',
  status: 'succeeded',
  verdict: 'good',
  release: release('web:v2', 'api:v2'),
  previous: release('web:v3', 'api:v3'),
  schemaSha256: hex('schema'),
  backupId: '20261125_020304',
  restoredId: null,
  reason: 'v3 answers with 500: see #12; "quoted", $(id)',
  actor: 'octocat',
  runUrl: 'https://github.com/acme/shop/actions/runs/4711',
  commit: 'a'.repeat(40),
  settings: { compose: '2.26.1-4', kept: 'a'.repeat(32), services: { web: 'b'.repeat(32) } },
  durationMs: 23_456,
  downtimeMs: 104.5,
};

describe('records', () => {
  test('a line reads back as its record', () => {
    assert.deepEqual(readHistoryRecord(JSON.parse(historyLine(full))), full);
    const empty = record();
    assert.deepEqual(parseHistory(`${historyLine(full)}\n${historyLine(empty)}\n`), {
      records: [full, empty],
      problems: [],
    });
  });

  test('fields of a later version are dropped, and missing ones are not known', () => {
    const { previous, reason, settings, downtimeMs, ...others } = full;
    assert.deepEqual(readHistoryRecord({ ...others, extra: 'x' }), {
      ...full,
      previous: null,
      reason: null,
      downtimeMs: null,
      settings: null,
    });
  });

  const allowed: [string, Partial<Record<keyof HistoryRecord, unknown>>][] = [
    ['seconds without a fraction', { at: '2026-11-25T02:03:04Z' }],
    [
      'an image of a private registry with a port, a tag and a digest',
      { release: named(`db.example:5000/a/web:v1@sha256:${hex('x')}`) },
    ],
    ['a container that was made from an id', { release: named(`sha256:${hex('x')}`) }],
    ['no service at all', { release: {} }],
    ['a short commit', { commit: 'abcdef0' }],
    ['an address of another server', { runUrl: 'http://git.example/a/b/actions/runs/1' }],
    ['text of other languages', { reason: 'zurück — 戻る' }],
  ];
  for (const [what, changes] of allowed) {
    test(`takes ${what}`, () => assert.ok(readHistoryRecord({ ...full, ...changes })));
  }

  const poisoned: [string, Partial<Record<keyof HistoryRecord, unknown>>][] = [
    ['another version', { version: 2 }],
    ['a version as text', { version: '1' }],
    ['an id with a path', { id: '1-1-0123abcd/../../x' }],
    ['an id with a line break', { id: '1-1-0123abcd\n' }],
    ['an id in capital letters', { id: '1-1-0123ABCD' }],
    ['no id', { id: undefined }],
    ['a time in another zone', { at: '2026-11-25T02:03:04+01:00' }],
    ['a day that is none', { at: '2026-13-41T02:03:04Z' }],
    ['an environment with a line break', { environment: 'prod\n::set-output' }],
    ['an endless environment', { environment: 'x'.repeat(201) }],
    ['an unknown event', { event: 'push' }],
    ['an event that every object has', { event: 'constructor' }],
    ['an unknown status', { status: 'SUCCEEDED' }],
    ['an unknown verdict', { verdict: true }],
    ['a shell in the tag', { release: withImage({ tag: 'v1;reboot' }) }],
    ['a substitution in the tag', { release: withImage({ tag: '$(reboot)' }) }],
    ['an option as the tag', { release: withImage({ tag: '--privileged' }) }],
    ['a line break in the tag', { release: withImage({ tag: 'v1\n' }) }],
    ['a tag as a number', { release: withImage({ tag: 1 }) }],
    ['a shell in the image', { release: withImage({ image: 'ghcr.io/acme/web:v1 && reboot' }) }],
    ['a variable in the image', { release: withImage({ image: 'ghcr.io/acme/web:$TAG' }) }],
    ['an address as the image', { release: withImage({ image: 'https://evil.example/web' }) }],
    ['an endless image', { release: withImage({ image: `ghcr.io/${'a/'.repeat(300)}web:v1` }) }],
    ['a digest that is too short', { release: withImage({ digest: 'sha256:abc' }) }],
    ['a digest of another kind', { release: withImage({ digest: `md5:${'0'.repeat(32)}` }) }],
    ['an image id without its kind', { release: withImage({ imageId: hex('x') }) }],
    ['a service with a slash', { release: { '../x': image('web:v1') } }],
    ['a service without a name', { release: { '': image('web:v1') } }],
    ['a service that is a list', { release: { web: [image('web:v1')] } }],
    ['a release that is a list', { release: [] }],
    ['no release', { release: null }],
    [
      'a thousand services',
      { release: Object.fromEntries(Array.from({ length: 201 }, (_, i) => [`s${i}`, image('web:v1')])) },
    ],
    ['a shell in what ran before', { previous: withImage({ tag: '`id`' }) }],
    ['a checksum that is none', { schemaSha256: 'x'.repeat(64) }],
    ['a backup with a path', { backupId: '../../etc' }],
    ['a reason with an escape', { reason: 'x\x1b[2J' }],
    ['a reason of two lines', { reason: 'x\n::warning::y' }],
    ['an endless reason', { reason: 'x'.repeat(2_001) }],
    ['an actor of two lines', { actor: 'a\nb' }],
    ['an actor with a NUL', { actor: 'a\0b' }],
    ['an address that is a script', { runUrl: 'javascript:alert(1)' }],
    ['an address with a space', { runUrl: 'https://a.example/ x' }],
    ['an address with a line break', { runUrl: 'https://a.example/\n' }],
    ['a commit with a shell', { commit: 'abcdef0;id' }],
    ['a negative duration', { durationMs: -1 }],
    ['a duration as text', { durationMs: '1' }],
    ['a downtime that is none', { downtimeMs: Number.NaN }],
    ['a downtime without end', { downtimeMs: Number.POSITIVE_INFINITY }],
  ];
  for (const [what, changes] of poisoned) {
    test(`refuses ${what}`, () => {
      assert.throws(() => readHistoryRecord({ ...full, ...changes }), { name: 'Failure', code: 'bad-value' });
    });
  }

  for (const value of [null, undefined, 1, 'x', [], [full]]) {
    test(`refuses ${JSON.stringify(value)?.slice(0, 20)}`, () => {
      assert.throws(() => readHistoryRecord(value), { name: 'Failure', code: 'bad-value' });
    });
  }

  test('whatever JSON says, it is read or refused with a Failure, and nothing of every object is changed', () => {
    const before = Object.getOwnPropertyNames(Object.prototype);
    const field = fc.constantFrom(...Object.keys(full), '__proto__', 'constructor');
    fc.assert(
      fc.property(fc.array(fc.tuple(field, fc.jsonValue({ maxDepth: 3 }))), (changes) => {
        const added = changes.map(([key, value]) => `,${JSON.stringify(key)}:${JSON.stringify(value)}`);
        const text = `${JSON.stringify(full).slice(0, -1)}${added.join('')}}`;
        try {
          assert.deepEqual(Object.keys(readHistoryRecord(JSON.parse(text))), Object.keys(full));
        } catch (error) {
          if (!(error instanceof Failure)) throw error;
        }
      }),
    );
    assert.deepEqual(Object.getOwnPropertyNames(Object.prototype), before);
  });

  test('a service called __proto__ is one like others', () => {
    const text = historyLine(full).replaceAll('"web":', '"__proto__":');
    const read = readHistoryRecord(JSON.parse(text));
    assert.deepEqual(Object.keys(read.release).toSorted(), ['__proto__', 'api']);
    assert.equal(Object.getPrototypeOf(read.release), Object.prototype);
    assert.equal(historyLine(read), text);
  });
});

describe('a history', () => {
  const line = historyLine(full);

  test('the last of two records with the same id counts, in the place of the first', () => {
    const later = { ...full, verdict: 'bad' };
    const other = record();
    const { records } = parseHistory([line, historyLine(other), JSON.stringify(later)].join('\n'));
    assert.deepEqual(records, [later, other]);
  });

  test('a line that was cut anywhere is told of, and costs no other', () => {
    const other = historyLine(record());
    for (let length = 1; length < line.length; length += 1) {
      const { records, problems } = parseHistory(`${other}\n${line.slice(0, length)}`);
      assert.equal(records.length, 1, `cut at ${length}`);
      assert.deepEqual(problems, ['line 2 of the history cannot be read: it is not JSON']);
    }
  });

  test('lines may end as on Windows, and empty ones do not count', () => {
    assert.deepEqual(parseHistory(`\r\n${line}\r\n\n  \n`), { records: [full], problems: [] });
    assert.deepEqual(parseHistory(''), { records: [], problems: [] });
  });

  test('a line of 10 MB is not even read', () => {
    const { records, problems } = parseHistory(`${line}\n{"id":"${'x'.repeat(10 * 2 ** 20)}"}\n`);
    assert.deepEqual(records, [full]);
    assert.deepEqual(problems, ['line 2 of the history cannot be read: it is too long']);
  });

  test('what is told of a bad line repeats nothing of it', () => {
    const bad = JSON.stringify({ ...full, reason: '::error::x\n', release: { '::error::': image('web:v1') } });
    const { problems } = parseHistory(`${bad}\n::error::\n${'['.repeat(200_000)}`);
    assert.equal(problems.length, 3);
    for (const problem of problems) assert.doesNotMatch(problem, /::|\n|\[\[/);
    assert.match(problems[0] ?? '', /^line 1 of the history cannot be read: "release" has a name/);
  });

  test('of very many bad lines few are told of, and how many there are', () => {
    const { records, problems } = parseHistory(`${'x\n'.repeat(2_000_000)}${line}\n`);
    assert.deepEqual(records, [full]);
    assert.equal(problems.length, 4);
    assert.equal(problems.at(-1), '1999997 more lines of the history cannot be read');
  });
});

describe('ids', () => {
  test('an id is made of the run, its attempt and eight hex digits', () => {
    assert.equal(recordId('4711', '2', '0123abcd'), '4711-2-0123abcd');
    assert.equal(recordId(null, null, '0123abcd'), '0-0-0123abcd');
    assert.ok(isRecordId(recordId(null, null, '0123abcd')));
  });

  for (const text of ['', '1-1', '1-1-0123abc', '1-1-0123abcd0', 'a-1-0123abcd', '1-1-0123abcg', ' 1-1-0123abcd']) {
    test(`${JSON.stringify(text)} is none`, () => assert.equal(isRecordId(text), false));
  }
});

describe('the line for people', () => {
  test('says what happened, to which images, by whom', () => {
    assert.equal(
      auditLine(full),
      `2026-11-25T02:03:04.567Z rollback succeeded good api=v2@sha256:${hex('d-api:v2')} web=v2@sha256:${hex('d-web:v2')}` +
        ' by=octocat run=https://github.com/acme/shop/actions/runs/4711 id=4711-2-0123abcd',
    );
  });

  test('a dash stands for what is not known', () => {
    const local = { web: { image: null, tag: null, digest: null, imageId: `sha256:${hex('i')}` } };
    const none = { web: { image: null, tag: null, digest: null, imageId: null } };
    assert.match(auditLine({ ...full, release: local, actor: null, runUrl: null }), / web=-@sha256:\w+ by=- run=- id=/);
    assert.match(auditLine({ ...full, release: none, actor: '' }), / web=-@- by=- /);
  });

  test('no name makes a second line, a further word, or a command of the runner', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (actor) => {
        const line = auditLine({ ...full, actor, release: {} });
        assert.match(line, /^\S+ rollback succeeded good by=\S+ run=\S+ id=4711-2-0123abcd$/);
        assert.doesNotMatch(line, /##\[|\p{Cc}/u);
      }),
    );
    assert.match(auditLine({ ...full, actor: 'eve id=1-1-0123abcd' }), / by=eve_id=1-1-0123abcd run=/);
  });
});

function withImage(changes: Record<string, unknown>): Record<string, unknown> {
  return { web: { ...image('web:v1'), ...changes } };
}

function named(reference: string): Record<string, unknown> {
  return withImage({ image: reference });
}
