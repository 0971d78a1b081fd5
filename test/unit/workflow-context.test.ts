import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workflowContext } from '../../shared/runner/context.ts';

test('the workflow says of itself what the runner sets', () => {
  assert.deepEqual(
    workflowContext({
      GITHUB_SERVER_URL: 'https://github.example',
      GITHUB_REPOSITORY: 'acme/app',
      GITHUB_RUN_ID: '7',
      GITHUB_RUN_ATTEMPT: '2',
      GITHUB_ACTOR: 'ada',
      GITHUB_SHA: 'c0ffee',
      GITHUB_EVENT_NAME: 'schedule',
      GITHUB_ACTION_REPOSITORY: 'acme/actions',
    }),
    {
      repository: 'acme/app',
      runId: '7',
      runAttempt: '2',
      runUrl: 'https://github.example/acme/app/actions/runs/7',
      actor: 'ada',
      commit: 'c0ffee',
      event: 'schedule',
      actionIssuesUrl: 'https://github.example/acme/actions/issues',
    },
  );
});

test('outside a workflow all of it is null', () => {
  const said = Object.values(workflowContext({ GITHUB_ACTOR: '' }));
  assert.deepEqual(new Set(said), new Set([null]));
});
