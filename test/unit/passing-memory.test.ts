// What flows through the runner must not fill its memory, however fast it comes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { tellPassed } from '../../shared/passing-memory.ts';

const mebibyte = 2 ** 20;

test('what has passed is freed soon, though little else asks for it', async () => {
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  for (let piece = 0; piece < 8_000; piece += 1) {
    const bytes = Buffer.allocUnsafeSlow(65_536);
    tellPassed(bytes.length);
    if (piece % 50 === 0) {
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
      await turn();
    }
  }
  assert.ok(most < 24 * mebibyte, `${Math.round(most / mebibyte)} MiB of 500 were held`);
});
