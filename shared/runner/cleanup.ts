// The post-step of all three actions. It runs after the job, also after a failure and a cancel, and removes what a
// killed step could not: its keys, and the ssh master that may still hold a connection to the host.
import * as log from './log.ts';
import { recordedFolders, removePrivateFolder } from './private-folder.ts';

for (const folder of recordedFolders()) {
  try {
    if (removePrivateFolder(folder)) log.info(`Removed ${folder}, which the step before had to leave.`);
  } catch (error) {
    // A key may have stayed behind: that must be seen, so the post-step fails.
    process.exitCode = 1;
    log.error(`${folder} may hold a private key and was not removed: ${error}`, 'A key may be left on the runner');
    log.important('What to do: remove that folder on the runner, and replace the key if others can read it there.');
  }
}
