import { workflowContext } from '../shared/runner/context.ts';
import { runAction } from '../shared/runner/run.ts';
import { readRollbackInputs } from './inputs.ts';
import { noOutputs } from './outputs.ts';
import { rollback } from './rollback.ts';

runAction('rollback-action', noOutputs(), (context) => rollback(readRollbackInputs(), workflowContext(), context));
