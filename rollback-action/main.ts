import { workflowContext } from '../shared/runner/context.ts';
import { Notices } from '../shared/runner/notices.ts';
import { runAction } from '../shared/runner/run.ts';
import { noStory } from './failure-summary.ts';
import { readRollbackInputs } from './inputs.ts';
import { rollbackReport } from './notice.ts';
import { noOutputs } from './outputs.ts';
import { rollback } from './rollback.ts';

const telling = new Notices(noStory(), rollbackReport);
runAction(
  'rollback-action',
  noOutputs(),
  (context) => rollback(telling.begin(readRollbackInputs), workflowContext(), context, telling.story),
  { telling },
);
