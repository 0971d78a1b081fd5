// Nobody whom the repository does not trust rolls anything back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { noStory } from '../../rollback-action/failure-summary.ts';
import type { RollbackInputs } from '../../rollback-action/inputs.ts';
import { noOutputs } from '../../rollback-action/outputs.ts';
import { rollback } from '../../rollback-action/rollback.ts';
import { refuseStrangers } from '../../rollback-action/strangers.ts';
import { workflowContext } from '../../shared/runner/context.ts';

const ofStrangers = [
  ...['pull_request', 'pull_request_target', 'pull_request_review', 'pull_request_review_comment'],
  ...['issues', 'issue_comment', 'discussion', 'discussion_comment', 'fork', 'watch'],
];
for (const event of ofStrangers) {
  test(`${event}: anybody could have started it`, () =>
    assert.throws(() => refuseStrangers({ event }), { code: 'untrusted-event', hint: /workflow_dispatch/ }));
}

for (const event of [
  'workflow_dispatch',
  'workflow_run',
  'repository_dispatch',
  'schedule',
  'push',
  'deployment',
  null,
]) {
  test(`${event}: one must be trusted to start it`, () => refuseStrangers({ event }));
}

test('a rollback asks who started it before it connects, or reads any other input', async () => {
  const context = { signal: AbortSignal.abort(), outputs: noOutputs(), atEnd: () => {} };
  const workflow = workflowContext({ GITHUB_EVENT_NAME: 'issues' }, {});
  await assert.rejects(rollback({} as RollbackInputs, workflow, context, noStory()), { code: 'untrusted-event' });
  assert.equal(context.outputs.status, 'refused');
});
