import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after, describe, test } from 'node:test';
import { type Ending, startStep } from './runner-fixtures/step.ts';

const temp = mkdtempSync(join(tmpdir(), 'runner-'));
after(() => rmSync(temp, { recursive: true }));

const postStep = join('..', '..', '..', 'shared', 'runner', 'cleanup.ts');

/** Runs the post-step with what the step before saved. */
function cleanUp(folders: string[] | undefined): Promise<Ending> {
  const state = folders && JSON.stringify(folders);
  return startStep(postStep, [], { RUNNER_TEMP: temp, 'STATE_private-folders': state }).ended;
}

/** What a killed step leaves behind. */
async function leftBehind(runnerTemp = temp): Promise<string[]> {
  const { output, state } = await startStep('private-folder.ts', [], { RUNNER_TEMP: runnerTemp }).ended;
  const folders = output.trim().split('\n');
  assert.equal(state['private-folders'], JSON.stringify(folders));
  return folders;
}

describe('a private folder', () => {
  test('is open to its owner alone, in the folder of the job', async () => {
    const [folder = ''] = await leftBehind();
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    assert.equal(dirname(folder), temp);
  });

  test('moves to a shorter place where a socket would not fit', async () => {
    const deep = join(temp, 'x'.repeat(80));
    mkdirSync(deep);
    const folders = await leftBehind(deep);
    assert.deepEqual(folders.map(dirname), [tmpdir(), tmpdir()]);
    for (const folder of folders) rmSync(folder, { recursive: true });
  });
});

describe('the post-step', () => {
  test('says nothing where there is nothing to do', async () => {
    const { code, output } = await cleanUp(undefined);
    assert.deepEqual([code, output], [0, '']);
  });

  test('removes every folder that was left, and does nothing the second time', async () => {
    const folders = await leftBehind();
    const first = await cleanUp(folders);
    assert.equal(first.code, 0);
    assert.deepEqual(folders.map(existsSync), [false, false]);
    assert.match(first.output, new RegExp(`Removed .*${basename(folders[0] ?? '')}`));
    const second = await cleanUp(folders);
    assert.deepEqual([second.code, second.output], [0, '']);
  });

  test('ends a process that was started for the folder, and no other', async () => {
    const folders = await leftBehind();
    const master = spawn('sh', ['-c', 'trap "" TERM; while :; do sleep 1; done', `ssh: ${folders[0]}/control [mux]`]);
    const other = spawn('sleep', ['30']);
    const ended = new Promise((resolve) => master.on('exit', (_, signal) => resolve(signal)));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await cleanUp(folders);
    assert.equal(await ended, 'SIGKILL');
    assert.equal(other.exitCode ?? other.signalCode, null);
    other.kill();
  });

  const strangers: [string, (elsewhere: string) => string][] = [
    ['a folder with another name', () => make(join(temp, 'other-Ab12Cd'))],
    ['a folder in another place', (elsewhere) => make(join(elsewhere, 'atlasia-Ab12Cd'))],
    ['a path that leads elsewhere', () => `${make(join(temp, 'sub'))}/../atlasia-Ab12Ce`],
    [
      'a link',
      (elsewhere) => {
        symlinkSync(elsewhere, join(temp, 'atlasia-Ab12Cd'));
        return join(temp, 'atlasia-Ab12Cd');
      },
    ],
    [
      'a file',
      () => {
        writeFileSync(join(temp, 'atlasia-Ab12Cf'), '');
        return join(temp, 'atlasia-Ab12Cf');
      },
    ],
  ];
  for (const [what, plant] of strangers) {
    test(`refuses ${what}, and fails`, async () => {
      const elsewhere = mkdtempSync(join(temp, 'elsewhere-'));
      writeFileSync(join(elsewhere, 'precious'), '');
      const planted = plant(elsewhere);
      const { code, output } = await cleanUp([planted]);
      assert.equal(code, 1);
      assert.match(output, /^::error title=A key may be left on the runner::/m);
      assert.ok(existsSync(join(elsewhere, 'precious')));
    });
  }

  function make(folder: string): string {
    mkdirSync(folder);
    return folder;
  }
});
