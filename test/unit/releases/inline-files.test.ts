// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of compose, not ours

// Files that compose writes into a container just before it starts it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { type InlineFile, inlineFiles, tarOf } from '../../../shared/releases/inline-files.ts';

const config = (configs: object, secrets: object, service: object) =>
  JSON.stringify({ configs, secrets, services: { app: service, other: {} } });
const values = (of: Record<string, string>) => JSON.stringify({ services: {}, 'x-values': of });
const file = (path: string, content: string, more: Partial<InlineFile> = {}): InlineFile => ({
  path,
  content,
  mode: 0o444,
  uid: 0,
  gid: 0,
  ...more,
});

describe('inline files', () => {
  const cases: [what: string, config: string, values: string, files: InlineFile[]][] = [
    ['none', config({}, {}, {}), '', []],
    [
      'the content of a config, with its dollars',
      config({ motd: { content: 'a$$5' } }, {}, { configs: [{ source: 'motd', target: '/etc/motd' }] }),
      '',
      [file('/etc/motd', 'a$5')],
    ],
    [
      'owner and mode, as compose writes them',
      config(
        { motd: { content: 'a' } },
        {},
        { configs: [{ source: 'motd', target: '/m', uid: '103', gid: '4', mode: '0440' }] },
      ),
      '',
      [file('/m', 'a', { mode: 0o440, uid: 103, gid: 4 })],
    ],
    [
      'without a target, at the usual place',
      config(
        { motd: { content: 'a' } },
        { token: { environment: 'T' } },
        { configs: [{ source: 'motd' }], secrets: [{ source: 'token' }] },
      ),
      values({ T: 'xsecret' }),
      [file('/motd', 'a'), file('/run/secrets/token', 'secret')],
    ],
    [
      'a variable that is set to nothing is no file, as in compose',
      config({}, { token: { environment: 'T' } }, { secrets: [{ source: 'token' }] }),
      values({ T: 'x' }),
      [],
    ],
    [
      'files of the host and external ones are not ours',
      config(
        { a: { file: '/a' } },
        { b: { external: true } },
        { configs: [{ source: 'a' }], secrets: [{ source: 'b' }] },
      ),
      '',
      [],
    ],
  ];
  for (const [what, text, known, files] of cases)
    test(what, () => assert.deepEqual(inlineFiles(text, known, 'app'), files));

  test('a variable that is not set is refused, by its name', () => {
    const text = config({}, { token: { environment: 'T' } }, { secrets: [{ source: 'token' }] });
    assert.throws(() => inlineFiles(text, values({ T: '' }), 'app'), /made from the variable T, which is not set/);
    assert.deepEqual(inlineFiles(text, values({ T: '' }), 'other'), []);
    assert.deepEqual(inlineFiles(text, values({ T: '' }), 'constructor'), []);
  });

  test('the archive is one that tar reads, byte for byte', () => {
    const files = [
      file('/etc/motd', 'é$`\n'),
      file('/run/secrets/token', 'x'.repeat(512), { mode: 0o400, uid: 103, gid: 4 }),
    ];
    const archive = tarOf(files);
    const tar = (...words: string[]) => execFileSync('tar', words, { input: archive, encoding: 'utf8' });
    const list = tar('--list', '--verbose', '--numeric-owner');
    assert.match(list, /^-r--r--r-- 0\/0 +5 .* etc\/motd$/m);
    assert.match(list, /^-r-------- 103\/4 +512 .* run\/secrets\/token$/m);
    assert.equal(tar('--extract', '--to-stdout', 'etc/motd'), 'é$`\n');
    assert.equal(tar('--extract', '--to-stdout', 'run/secrets/token'), 'x'.repeat(512));
  });

  test('a long path is taken apart', () => {
    const path = `/${'folder/'.repeat(20)}${'a'.repeat(90)}`;
    const list = execFileSync('tar', ['--list'], { input: tarOf([file(path, 'x')]), encoding: 'utf8' });
    assert.equal(list, `${path.slice(1)}\n`);
  });

  test('what does not fit into an archive is refused', () => {
    assert.throws(() => tarOf([file(`/${'a'.repeat(101)}`, 'x')]), { code: 'bad-value' });
    assert.throws(() => tarOf([file('/a', 'x', { uid: Number.NaN })]), { code: 'bad-value' });
  });
});
