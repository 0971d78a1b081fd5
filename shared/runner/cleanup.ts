// The post-step of all three actions. It runs after the job, even after a failure or a cancel, and removes what a killed
// step left behind: its keys, and an ssh master that may still have a connection to the host.
import * as log from './log.ts';
import { recordedFolders, removePrivateFolder } from './private-folder.ts';

for (const folder of recordedFolders()) {
  try {
    if (removePrivateFolder(folder)) log.info(`Removed ${folder}, which the interrupted step had left behind.`);
  } catch (error) {
    // A key may be left behind. Fail the post-step, so that somebody notices.
    process.exitCode = 1;
    log.error(`${folder} may hold a private key and was not removed: ${error}`, 'A key may be left on the runner');
    log.important('What to do: remove that folder on the runner, and replace the key if others can read it there.');
  }
}
