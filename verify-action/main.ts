import { workflowContext } from '../shared/runner/context.ts';
import { Notices } from '../shared/runner/notices.ts';
import { runAction } from '../shared/runner/run.ts';
import { readVerifyInputs } from './inputs.ts';
import { noStory, verificationReport } from './notice.ts';
import { noOutputs } from './outputs.ts';
import { verify } from './verify.ts';

const telling = new Notices(noStory(), verificationReport);
runAction(
  'verify-action',
  noOutputs(),
  (context) => verify(telling.begin(readVerifyInputs), workflowContext(), context, telling.story),
  { telling },
);
