import { workflowContext } from '../shared/runner/context.ts';
import { runAction } from '../shared/runner/run.ts';
import { backup } from './backup.ts';
import { readBackupInputs } from './inputs.ts';
import { noOutputs } from './outputs.ts';

runAction('backup-action', noOutputs(), (context) => backup(readBackupInputs(), workflowContext(), context));
