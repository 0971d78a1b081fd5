import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { crc32, deflateRawSync } from 'node:zlib';
import { readSingleFileZip, UnusableArchive } from '../../shared/runner/single-file-zip.ts';

interface Entry {
  name?: string;
  content: Buffer;
  method?: 0 | 8;
  flags?: number;
  /** Of Unix. */
  mode?: number;
  crc?: number;
  /** What the archive says of its unpacked size. */
  size?: number;
}

/** An archive as programs write them. */
function zipOf(entries: readonly Entry[], comment = ''): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name = 'history.jsonl', content, method = 8, flags = 0, mode = 0o100644, crc, size } of entries) {
    const packed = method === 0 ? content : deflateRawSync(content);
    const facts = Buffer.alloc(22);
    facts.writeUInt16LE(20, 0);
    facts.writeUInt16LE(flags, 2);
    facts.writeUInt16LE(method, 4);
    facts.writeUInt32LE(crc ?? crc32(content), 10);
    facts.writeUInt32LE(packed.length, 14);
    facts.writeUInt32LE(size ?? content.length, 18);
    const length = Buffer.alloc(4);
    length.writeUInt16LE(Buffer.byteLength(name));
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), facts, length, Buffer.from(name), packed]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE((mode << 16) >>> 0, 6);
    rest.writeUInt32LE(at, 10);
    directory.push(Buffer.from('PK\x01\x02\x14\x03'), facts, length, rest, Buffer.from(name));
    parts.push(local);
    at += local.length;
  }
  const listing = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(listing.length, 12);
  end.writeUInt32LE(at, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...parts, listing, end, Buffer.from(comment)]);
}

const content = Buffer.from('{"version":1}\n'.repeat(100));
const limit = 1024 * 1024;

describe('one file is read', () => {
  for (const [what, archive] of [
    ['packed', zipOf([{ content }])],
    ['as it is', zipOf([{ content, method: 0 }])],
    ['with a comment behind it', zipOf([{ content }], 'PK\x05\x06 and more')],
    ['of no mode', zipOf([{ content, mode: 0 }])],
  ] as const)
    test(what, async () => assert.deepEqual(await readSingleFileZip(archive, limit), content));

  test('as long as is allowed', async () => {
    const longest = Buffer.alloc(limit, 'x');
    assert.equal((await readSingleFileZip(zipOf([{ content: longest }]), limit)).length, limit);
  });
});

describe('not read is', () => {
  const cases: [string, Buffer, RegExp][] = [
    ['two files', zipOf([{ content }, { content, name: 'b' }]), /^does not contain exactly one regular file$/],
    ['none', zipOf([]), /^does not contain exactly one regular file$/],
    ['one in a folder', zipOf([{ content, name: 'a/b' }]), /^does not contain exactly one regular file$/],
    ['one above', zipOf([{ content, name: '../b' }]), /^is not a readable archive$/],
    ['a link', zipOf([{ content, mode: 0o120777 }]), /^does not contain exactly one regular file$/],
    ['an encrypted one', zipOf([{ content, flags: 1 }]), /^is not a readable archive$/],
    ['one with another sum', zipOf([{ content, crc: 1 }]), /^is not a readable archive$/],
    ['one that is larger', zipOf([{ content: Buffer.alloc(limit + 1) }]), /^is larger than 1 MiB$/],
    ['one that is larger as it is', zipOf([{ content: Buffer.alloc(limit + 1), method: 0 }]), /^is larger than 1 MiB$/],
    [
      'one that is far larger, and says it is not',
      zipOf([{ content: Buffer.alloc(1e8), size: 5 }]),
      /^is not a readable archive$/,
    ],
    ['nothing', Buffer.alloc(0), /^is not a readable archive$/],
  ];
  for (const [what, archive, message] of cases)
    test(what, () => assert.rejects(readSingleFileZip(archive, limit), { message }));

  test('one that was cut, or of which a byte is another one, in any other way', async () => {
    const archive = zipOf([{ content }]);
    for (let at = 0; at < archive.length; at += 1) {
      await assert.rejects(readSingleFileZip(archive.subarray(0, at), limit), UnusableArchive);
      const changed = Buffer.from(archive);
      changed[at] = (changed[at] ?? 0) ^ 0xff;
      try {
        assert.deepEqual(await readSingleFileZip(changed, limit), content, `byte ${at}`);
      } catch (error) {
        assert.ok(error instanceof UnusableArchive, `byte ${at}: ${error}`);
      }
    }
  });
});
