import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workflowContext } from '../../shared/runner/context.ts';

test('the workflow says of itself what the runner sets', () => {
  assert.deepEqual(
    workflowContext(
      {
        GITHUB_SERVER_URL: 'https://github.example',
        GITHUB_REPOSITORY: 'acme/app',
        GITHUB_RUN_ID: '7',
        GITHUB_RUN_ATTEMPT: '2',
        GITHUB_ACTOR: 'ada',
        GITHUB_SHA: 'c0ffee',
        GITHUB_EVENT_NAME: 'schedule',
        GITHUB_ACTION_REPOSITORY: 'acme/actions',
        GITHUB_REPOSITORY_ID: '12',
        GITHUB_REF_NAME: 'release',
        GITHUB_WORKFLOW_REF: 'acme/app/.github/workflows/nightly.yml@refs/heads/trunk',
      },
      { repository: { default_branch: 'trunk' } },
    ),
    {
      repository: 'acme/app',
      repositoryId: '12',
      defaultBranch: 'trunk',
      refName: 'release',
      runId: '7',
      runAttempt: '2',
      runUrl: 'https://github.example/acme/app/actions/runs/7',
      runsUrl: 'https://github.example/acme/app/actions/runs/',
      workflowUrl: 'https://github.example/acme/app/actions/workflows/nightly.yml',
      actor: 'ada',
      commit: 'c0ffee',
      event: 'schedule',
      actionIssuesUrl: 'https://github.example/acme/actions/issues',
    },
  );
});

test('the main branch is told by the event, or by a schedule, which runs there alone; else nobody knows it', () => {
  const branchOf = (event: string, payload: unknown) =>
    workflowContext({ GITHUB_EVENT_NAME: event, GITHUB_REF_NAME: 'feature' }, payload).defaultBranch;
  assert.equal(branchOf('push', { repository: { default_branch: 'trunk' } }), 'trunk');
  assert.equal(branchOf('schedule', { schedule: '17 3 * * *' }), 'feature');
  for (const payload of [{}, null, [], { repository: null }, { repository: { default_branch: 7 } }])
    assert.equal(branchOf('push', payload), null);
});

test('outside a workflow all of it is null', () => {
  const said = Object.values(workflowContext({ GITHUB_ACTOR: '' }));
  assert.deepEqual(new Set(said), new Set([null]));
});
