import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { cleanLine } from '../../shared/clean.ts';
import { quoteForShell } from '../../shared/shell-quote.ts';

const quoted: [text: string, word: string][] = [
  ['app', 'app'],
  ['/opt/app/backups', '/opt/app/backups'],
  ['--username=app', '--username=app'],
  ['', "''"],
  ['two words', "'two words'"],
  ["it's", "'it'\\''s'"],
  ['$(id)`id`"\\', `'$(id)\`id\`"\\'`],
  ['~', "'~'"],
  ['{a,b}', "'{a,b}'"],
  ['ünï', "'ünï'"],
  ['a\nb', "$'a\\x0ab'"],
  ["a'\\\t!", "$'a\\'\\\\\\x09\\x21'"],
  ['\u202ecod', "$'\\xe2\\x80\\xaecod'"],
  ['::set-output', "$'\\x3a\\x3aset-output'"],
  ['##[group]', "$'\\x23\\x23[group]'"],
];
for (const [text, word] of quoted) {
  test(`${JSON.stringify(text)} becomes ${word}`, () => assert.equal(quoteForShell(text), word));
}

test('a NUL cannot be quoted', () => assert.throws(() => quoteForShell('a\0b'), { code: 'unquotable' }));

test('bash reads every text back, byte for byte, in any locale', () => {
  const nasty = fc.constantFrom(
    "'",
    '"',
    '\\',
    '$',
    '`',
    '!',
    '\n',
    '\r',
    '\x1b[31m',
    '\u200b',
    '::',
    '##[',
    '~',
    '*',
    ' ',
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.oneof(nasty, fc.string({ maxLength: 3 }))).map((parts) => parts.join('')),
  );
  const texts = fc.sample(
    text.map((each) => each.replaceAll('\0', '').toWellFormed()),
    1000,
  );
  const script = `printf '%s\\0' ${texts.map(quoteForShell).join(' ')}`;
  for (const locale of ['C', 'C.UTF-8']) {
    const { stdout } = spawnSync('bash', ['--noprofile', '--norc'], {
      input: script,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] ?? '', LC_ALL: locale },
      maxBuffer: 1 << 26,
    });
    assert.deepEqual(stdout.split('\0').slice(0, -1), texts);
  }
});

test('a quoted text is one line, and passes through a log unchanged', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      const word = quoteForShell(text.replaceAll('\0', '').toWellFormed());
      assert.equal(cleanLine(`echo ${word}|`), `echo ${word}|`);
    }),
    { numRuns: 1000 },
  );
});
