// A small action for the tests of the wrapper: it ends as its first argument says.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../../shared/failure.ts';
import * as log from '../../../shared/runner/log.ts';
import { makePrivateFolder } from '../../../shared/runner/private-folder.ts';
import { type ActionContext, runAction } from '../../../shared/runner/run.ts';

type Fixture = ActionContext<{ status: string; 'size-bytes': number | null }>;

const endings: Record<string, (context: Fixture) => Promise<void>> = {
  async succeed({ outputs }) {
    outputs.status = 'succeeded';
    outputs['size-bytes'] = 2.0;
  },
  async 'succeed although a socket is open'({ outputs }) {
    setInterval(() => {}, 1_000);
    outputs.status = 'succeeded';
  },
  async 'succeed with an old library'({ outputs }) {
    process.emitWarning('Buffer() is deprecated', 'DeprecationWarning', 'DEP0005');
    log.warning('the same');
    log.warning('the same');
    log.error('the same');
    log.warning('the same');
    outputs.status = 'succeeded';
  },
  async fail() {
    const refused = new Error('refused by the host\r::add-mask::x', { cause: 'exit 255' });
    await log.group('Survey', async () => {
      throw new Failure('key-refused', 'The host refused the key', {
        hint: 'Add the key to ##[error]',
        cause: refused,
      });
    });
  },
  async 'fail within an open group'() {
    log.group('Survey', () => new Promise(() => {}));
    throw new Failure('key-refused', 'The host refused the key');
  },
  async defect() {
    throw new TypeError('x is not a function', { cause: new Error('because') });
  },
  async 'throw a text'() {
    throw 'a text';
  },
  async 'throw nothing'() {
    throw undefined;
  },
  async never() {
    await new Promise(() => {});
  },
  async 'reject unhandled'() {
    Promise.reject(new Error('nobody listens'));
    await sleep(5_000);
  },
  async 'throw later'() {
    setTimeout(() => {
      throw new Error('out of a timer');
    });
    await sleep(5_000);
  },
  async 'exit 0'() {
    process.exit(0);
  },
  async 'outputs unwritable'({ outputs }) {
    outputs['size-bytes'] = Number.NaN;
  },
  async 'undo fails'({ atEnd }) {
    atEnd(() => log.info('undone: first'));
    atEnd(() => {
      throw new Error('cannot undo');
    });
    atEnd(() => log.info('undone: last'));
  },
  async cooperative({ signal }) {
    log.info('ready');
    await sleep(30_000, undefined, { signal });
  },
  async 'slow to end'({ signal }) {
    log.info('ready');
    await sleep(30_000, undefined, { signal }).catch(() => sleep(300));
    signal.throwIfAborted();
  },
  async 'cooperative with a word'({ signal }) {
    log.info('ready');
    await sleep(30_000, undefined, { signal }).catch((cause) => {
      throw new Failure('cancelled', 'nothing was written on the host', { hint: 'Run it again', cause });
    });
  },
  async 'ends well although cancelled'({ signal, outputs }) {
    log.info('ready');
    await sleep(30_000, undefined, { signal }).catch(() => {});
    outputs.status = 'succeeded';
  },
  async stubborn({ atEnd }) {
    const folder = makePrivateFolder();
    atEnd(folder.remove);
    atEnd(() => log.info(`key present: ${existsSync(join(folder.path, 'key'))}`));
    writeFileSync(join(folder.path, 'key'), 'k');
    log.info(`folder ${folder.path}`);
    log.info('ready');
    await sleep(30_000);
  },
  async 'much to say'() {
    for (let i = 0; i < 5_000; i += 1) log.info(`${i} ${'x'.repeat(100)}`);
    throw new Failure('disk-full', 'the last word');
  },
};

const ending = endings[process.argv[2] ?? ''];
if (ending === undefined) throw new Error(`No such ending: ${process.argv[2]}`);
runAction('test-action', { status: 'failed', 'size-bytes': null }, ending, {
  grace: Number(process.argv[3] ?? 6_500),
});
