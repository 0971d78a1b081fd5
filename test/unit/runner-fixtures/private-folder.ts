// Makes private folders with a key in each, prints them, and dies without a word, as a killed step does.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makePrivateFolder } from '../../../shared/runner/private-folder.ts';

for (let i = 0; i < 2; i += 1) {
  const folder = makePrivateFolder();
  writeFileSync(join(folder.path, 'key'), 'secret', { mode: 0o600 });
  process.stdout.write(`${folder.path}\n`);
}
process.kill(process.pid, 'SIGKILL');
