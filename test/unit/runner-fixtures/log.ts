// Says one thing of every kind.
import * as log from '../../../shared/runner/log.ts';

log.info('two\nlines');
log.success('done ##[x]');
log.progress('10 %');
log.host('ok\r::add-mask::x\n\x1b[31mred');
log.important('read me');
log.warning('low\n::space', 'Disk: a,b');
log.notice('note');
log.error('e'.repeat(1_999).concat('\n').repeat(4));
await log.group('Outer ::x', async () => {
  await log.group('Inner', async () => log.info('inside'));
});

await log.quietly(async () => {
  process.stdout.write('what a library says\n');
  await new Promise((resolve) => setImmediate(resolve));
  process.stdout.write('::warning::and what it warns of\n');
  process.stdout.write('::add-mask::its-secret\n');
  log.info('ours');
});
process.stdout.write('others\n');
