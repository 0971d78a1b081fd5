import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { isFailure } from '../../../shared/failure.ts';
import { compositeOf, reportedChecksum } from '../../../shared/offsite/checksums.ts';
import { planParts } from '../../../shared/offsite/part-size.ts';
import { type Part, sendParts } from '../../../shared/offsite/send-parts.ts';

const mebibyte = 2 ** 20;

describe('the size of parts', () => {
  const examples: [bytes: number, maxParts: number | undefined, partBytes: number, inMemory: number][] = [
    [0, undefined, 8 * mebibyte, 3],
    [1024 ** 3, undefined, 8 * mebibyte, 3],
    [80_000 * mebibyte, undefined, 8 * mebibyte, 3],
    [80_000 * mebibyte + 1, undefined, 9 * mebibyte, 2],
    [100_000 * mebibyte, undefined, 10 * mebibyte, 2],
    [300_000 * mebibyte, undefined, 30 * mebibyte, 2],
    [600_000 * mebibyte, undefined, 60 * mebibyte, 1],
    // The largest that README of backup-action promises.
    [625 * 1024 * mebibyte, undefined, 64 * mebibyte, 1],
    [1000 * mebibyte, 100, 10 * mebibyte, 2],
    [64 * mebibyte, 1, 64 * mebibyte, 1],
  ];
  for (const [bytes, maxParts, partBytes, inMemory] of examples) {
    test(`of ${bytes} bytes in ${maxParts ?? 'as many as S3 allows'}`, () => {
      assert.deepEqual(planParts('x', bytes, maxParts), { partBytes, inMemory });
      assert.ok(bytes <= partBytes * (maxParts ?? 10_000));
      assert.ok(partBytes * inMemory <= 64 * mebibyte);
    });
  }

  test('never takes more memory; an object that would need it is refused, with the input to change', () =>
    assert.throws(
      () => planParts('x', 65 * mebibyte, 1),
      (error) => isFailure(error, 'bucket-unusable') && /s3-max-parts/.test(error.hint ?? ''),
    ));
});

describe('sending parts', () => {
  const content = randomBytes(1000);
  const plan = { partBytes: 300, inMemory: 2 };
  const inPieces = (bytes: Buffer, size = 7) =>
    Readable.from(
      Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size)),
      { objectMode: false },
    );

  test('sends every byte in order, and no more parts at one time than memory holds', async () => {
    const parts = new Map<number, Buffer>();
    let atOnce = 0;
    let most = 0;
    const sums = await sendParts(inPieces(content), content.length, plan, async ({ number, body }: Part) => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      await new Promise((resolve) => setImmediate(resolve));
      parts.set(number, Buffer.from(body));
      atOnce -= 1;
    });
    const whole = [1, 2, 3, 4].map((number) => parts.get(number) ?? Buffer.alloc(0));
    assert.deepEqual(Buffer.concat(whole), content);
    assert.deepEqual(
      sums,
      whole.map((part) => createHash('sha256').update(part).digest('hex')),
    );
    assert.ok(most <= plan.inMemory, String(most));
  });

  test('sends an empty object as one part', async () =>
    assert.equal((await sendParts(inPieces(Buffer.alloc(0)), 0, plan, async () => {})).length, 1));

  const lengths: [what: string, announced: number][] = [
    ['shorter', content.length + 1],
    ['longer', content.length - 1],
  ];
  for (const [what, announced] of lengths) {
    test(`fails where the stream is ${what} than was announced`, () =>
      assert.rejects(
        sendParts(inPieces(content), announced, plan, async () => {}),
        (error) => isFailure(error, 'copy-differs'),
      ));
  }

  test('ends with the first failure, after the others have ended, and stops the stream', async () => {
    const stream = inPieces(content);
    const ended: number[] = [];
    await assert.rejects(
      sendParts(stream, content.length, plan, async ({ number }, signal) => {
        if (number === 2) throw new Error('refused');
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        ended.push(number);
      }),
      /refused/,
    );
    assert.deepEqual([ended, stream.destroyed], [[1], true]);
  });

  test('does not wait for a host that has fallen silent once a part has failed', { timeout: 10_000 }, async () => {
    const silent = new Readable({ read() {} });
    silent.push(content.subarray(0, plan.partBytes));
    await assert.rejects(
      sendParts(silent, 2 * content.length, plan, async () => {
        // Later than the last piece.
        await new Promise((resolve) => setTimeout(resolve, 50));
        throw new Error('refused');
      }),
      /refused/,
    );
  });

  test("ends with the stream's own error", async () => {
    const broken = Readable.from(
      (async function* () {
        yield content;
        throw new Error('cut');
      })(),
      { objectMode: false },
    );
    await assert.rejects(
      sendParts(broken, 2 * content.length, plan, async () => {}),
      /cut/,
    );
  });
});

describe('what a store reports', () => {
  const hex = createHash('sha256').update('x').digest('hex');
  const base64 = Buffer.from(hex, 'hex').toString('base64');
  const none = { sha256: null, compositeSha256: null };
  const examples: [header: string | undefined, type: string | undefined, reported: object][] = [
    [base64, 'FULL_OBJECT', { ...none, sha256: hex }],
    [base64, undefined, { ...none, sha256: hex }],
    [`${base64}-3`, undefined, { ...none, compositeSha256: `${hex}-3` }],
    [base64, 'COMPOSITE', { ...none, compositeSha256: `${hex}-1` }],
    [undefined, undefined, none],
    ['nonsense', 'FULL_OBJECT', none],
  ];
  for (const [header, type, reported] of examples)
    test(`${header} ${type}`, () => assert.deepEqual(reportedChecksum(header, type), reported));

  test('of an object in parts is a checksum of checksums', () => {
    const parts = ['a', 'b'].map((text) => createHash('sha256').update(text).digest());
    const whole = createHash('sha256').update(Buffer.concat(parts)).digest('hex');
    assert.equal(compositeOf(parts.map((part) => part.toString('hex'))), `${whole}-2`);
  });
});
