import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { cleanLine, cleanLines, cleanMarkdown, codeFence, longestLine, markdownCode } from '../../shared/clean.ts';

/**
 * Whether the runner may take a line for a workflow command, after ActionCommand.cs: TryParseV2 wants `::` first after
 * TrimStart, TryParse wants `##[` anywhere. Both compare by culture, which ignores characters that are not seen.
 * That the command must also be a known one is left out: nothing of the form may pass.
 */
function mayBeCommand(line: string): boolean {
  const seen = line.replace(/\p{Cf}|\p{Default_Ignorable_Code_Point}|(?!\s)\p{Cc}/gu, '');
  const trimmed = seen.replace(/^[\p{White_Space}]+/u, '');
  return trimmed.startsWith('::') || seen.includes('##[');
}

/** The lines that .NET's ReadLine makes of what a step writes. */
function runnerLines(output: string): string[] {
  return output.split(/\r\n|\n|\r/);
}

/** What stands before foreign text in our log. */
const prefixes = ['', ' ', '\t', '\u00a0', '  │ ', '\x1b[90mhost │\x1b[0m ', 'Cause: ', 'What to do: '];

const fragments = fc.oneof(
  fc.constantFrom('::', ':', '##[', '##', '#', '[', ']', 'add-mask', '::set-output name=a::b', '##[error]x'),
  fc.constantFrom('\r', '\n', '\r\n', '\t', ' ', '\v', '\f', '\0', '\x85', '\u2028', '\u2029', '\u00a0', '\u3000'),
  fc.constantFrom(
    '\x1b',
    '\x1b[31m',
    '\x1b[',
    '\x1b]0;t\x07',
    '\x1b]8;;u\x1b\\',
    '\x1b]',
    '\x9b',
    '\x9b2J',
    '\x1bP',
    '\x07',
  ),
  fc.constantFrom(
    '\u200b',
    '\u00ad',
    '\ufeff',
    '\u202e',
    '\u2066',
    '\u034f',
    '\ufe0f',
    '\u{e0041}',
    '\u115f',
    '\ud800',
  ),
  fc.string({ unit: 'binary', maxLength: 8 }),
);
const hostile = fc.array(fragments, { maxLength: 20 }).map((parts) => parts.join(''));

describe('cleaned lines', () => {
  test('are never a workflow command, whatever of ours stands before them', () => {
    fc.assert(
      fc.property(hostile, fc.constantFrom(...prefixes), (text, prefix) => {
        const output = cleanLines(text)
          .map((line) => prefix + line)
          .join('\n');
        assert.deepEqual(runnerLines(output).filter(mayBeCommand), []);
      }),
      { numRuns: 5_000 },
    );
  });

  test('hold nothing that is not seen, and no line break', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        for (const line of cleanLines(text)) {
          assert.doesNotMatch(line, /(?!\t)\p{Cc}|\p{Cf}|\p{Default_Ignorable_Code_Point}|[\u2028\u2029]/u);
          assert.ok(line.length <= longestLine && line.isWellFormed());
        }
      }),
      { numRuns: 5_000 },
    );
  });

  test('stay as they are when cleaned again', () => {
    fc.assert(
      fc.property(hostile, (text) =>
        assert.deepEqual(
          cleanLines(cleanLines(text).join('\n')).join('\n'),
          cleanLines(text).join('\n').replace(/\n$/, ''),
        ),
      ),
    );
  });

  const table: [string, string, string[]][] = [
    ['ordinary text', 'pg_dump: dumping "Ärger" (5 %) → done', ['pg_dump: dumping "Ärger" (5 %) → done']],
    ['colons within a line', "SELECT 'x'::regclass; fe80::1 [::1]", ["SELECT 'x'::regclass; fe80::1 [::1]"]],
    ['Markdown headings', '## [a] # [b]', ['## [a] # [b]']],
    ['tabs', 'a\tb', ['a\tb']],
    ['a last line break', 'a\nb\n', ['a', 'b']],
    ['nothing', '', []],
    ['an empty line', 'a\n\nb', ['a', '', 'b']],
    ['a carriage return', 'ok\r::add-mask::x', ['ok', '\\::add-mask::x']],
    ['a command', '::set-output name=a::b', ['\\::set-output name=a::b']],
    ['a command after white space', ' \t\u00a0::error::x', [' \t\u00a0\\::error::x']],
    ['a command after what is not seen', '\u00ad\u200b::error::x', ['\\::error::x']],
    ['the old form of a command', 'x ##[add-mask]y', ['x ##\\[add-mask]y']],
    ['the old form, cut in two by a colour', '#\x1b[1m#\u200b[add-mask]y', ['##\\[add-mask]y']],
    ['colours and titles', '\x1b[31mred\x1b[0m \x1b]0;title\x07x \x1b]8;;u\x1b\\link\x1b]8;;\x1b\\', ['red x link']],
    ['an unfinished title', '\x1b]0;a\nb\x07', ['0;a', 'b']],
    ['a bidi override', 'a\u202eb\u2066c', ['abc']],
    ['unicode line breaks', 'a\u2028b\u2029c\x85d', ['a', 'b', 'c', 'd']],
  ];
  for (const [what, text, lines] of table) test(what, () => assert.deepEqual(cleanLines(text), lines));

  test('are cut where they are too long, never within a character', () => {
    const [line] = cleanLines(`${'x'.repeat(longestLine - 2)}😀😀`);
    assert.equal(line, `${'x'.repeat(longestLine - 2)}…`);
  });

  test('take a time that grows with the text and no faster', () => {
    const started = performance.now();
    for (const evil of ['\x1b]', '\x1b[', ' ', '`', '##[', '_', '\x1b[0;']) {
      cleanLines(evil.repeat(100_000));
      cleanMarkdown(evil.repeat(100_000));
    }
    assert.ok(performance.now() - started < 20_000);
  });
});

describe('one cleaned line', () => {
  test('joins lines and leaves out empty ones', () => assert.equal(cleanLine(' a\r\n\n b\tc '), 'a b\tc'));
  test('is cut at the limit', () => assert.equal(cleanLine('abcdef', 4), 'abc…'));
  test('cannot become a command by being joined', () => {
    fc.assert(
      fc.property(hostile, (text) => assert.ok(!mayBeCommand(cleanLine(text)) && !/[\r\n]/.test(cleanLine(text)))),
    );
  });
});

describe('Markdown', () => {
  const table: [string, string, string][] = [
    ['a path', '/srv/app/backup_20260101_000000.dump.zst', '/srv/app/backup_20260101_000000.dump.zst'],
    ['a cell that would split', 'a|b\nc', 'a\\|b c'],
    ['HTML', '<img src=x onerror=y>&lt;', '&lt;img src=x onerror=y&gt;&amp;lt;'],
    ['an image', '![x](y)', '\\!\\[x\\](y)'],
    ['an address', 'see https://evil.example www.evil.example', 'see https&#58;//evil.example www&#46;evil.example'],
    ['emphasis', '*a* _b_ __c__ ~~d~~ `e`', '\\*a\\* \\_b\\_ \\_\\_c\\_\\_ \\~\\~d\\~\\~ \\`e\\`'],
    ['escapes', '\\|', '\\\\\\|'],
    ['mathematics', '$x$', '\\$x\\$'],
  ];
  for (const [what, text, markdown] of table)
    test(`${what} is shown, not followed`, () => assert.equal(cleanMarkdown(text), markdown));

  test('escapes every pipe, bracket and backtick of any text', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const bare = cleanMarkdown(text).replace(/\\./gu, '');
        assert.doesNotMatch(bare, /[|<>`*[\]\\\r\n]/);
      }),
    );
  });

  const codes: [string, string][] = [
    ['', ''],
    ['a b', '` a b `'],
    ['`', '`` ` ``'],
    ['a``b', '``` a``b ```'],
    ['a|b|', '` a\\|b\\| `'],
    ['a\nb', '` a b `'],
  ];
  for (const [text, markdown] of codes) {
    test(`code ${JSON.stringify(text)} stays within its fence`, () => assert.equal(markdownCode(text), markdown));
  }

  test('a fence is longer than any in the text', () => {
    assert.equal(codeFence('x'), '```');
    assert.equal(codeFence('a ```` b'), '`````');
  });
});
