import { workflowContext } from '../shared/runner/context.ts';
import { runAction } from '../shared/runner/run.ts';
import { readVerifyInputs } from './inputs.ts';
import { noOutputs } from './outputs.ts';
import { verify } from './verify.ts';

runAction('verify-action', noOutputs(), (context) => verify(readVerifyInputs(), workflowContext(), context));
