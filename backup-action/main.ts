import { workflowContext } from '../shared/runner/context.ts';
import { Notices } from '../shared/runner/notices.ts';
import { runAction } from '../shared/runner/run.ts';
import { backup } from './backup.ts';
import { readBackupInputs } from './inputs.ts';
import { backupReport, noStory } from './notice.ts';
import { noOutputs } from './outputs.ts';

const telling = new Notices(noStory(), backupReport);
runAction(
  'backup-action',
  noOutputs(),
  (context) => backup(telling.begin(readBackupInputs), workflowContext(), context, telling.story),
  { telling },
);
