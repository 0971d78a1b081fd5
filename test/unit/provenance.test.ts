// Whose copies of the history are read: a list of artifacts is anybody's to add to.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pointerIn } from '../../shared/runner/cache-store.ts';
import { candidates, isTrustedRun, readArtifact, readArtifactPage, readRun } from '../../shared/runner/provenance.ts';

const trust = { repositoryId: 7, branches: ['main', 'production'] };

/** As GitHub's API writes it. */
function listed(id: number, over: Record<string, unknown> = {}, run: Record<string, unknown> = {}) {
  return {
    id,
    name: 'deployment-history-prod',
    digest: `sha256:${'a'.repeat(64)}`,
    size_in_bytes: 900,
    created_at: '2026-11-20T10:00:00Z',
    expires_at: '2027-02-18T10:00:00Z',
    expired: false,
    archive_download_url: 'https://example.com',
    workflow_run: { id: 40 + id, repository_id: 7, head_repository_id: 7, head_branch: 'main', ...run },
    ...over,
  };
}

const idsOf = (...artifacts: object[]) =>
  candidates(readArtifactPage({ total_count: 1, artifacts }).artifacts, 'deployment-history-prod', trust).map(
    ({ id }) => id,
  );

test('those that the repository itself made are candidates, the newest first, each once', () => {
  const older = listed(3, { created_at: '2026-11-19T10:00:00Z' });
  assert.deepEqual(
    idsOf(listed(1), older, listed(2), listed(1), listed(4, {}, { head_branch: 'production' })),
    [4, 2, 1, 3],
  );
});

const refused: Record<string, object> = {
  'from a fork, whose branch is called main as well': listed(1, {}, { head_repository_id: 8 }),
  'of another repository': listed(1, {}, { repository_id: 8 }),
  'from a branch that anybody may make': listed(1, {}, { head_branch: 'feature' }),
  'of another name': listed(1, { name: 'deployment-history-prod-2' }),
  expired: listed(1, { expired: true }),
  'larger than any of ours': listed(1, { size_in_bytes: 1024 * 1024 + 1 }),
  'without a digest': listed(1, { digest: null }),
  'with a digest that is none': listed(1, { digest: 'sha256:x' }),
  'of no known run': listed(1, { workflow_run: null }),
  'with no time': listed(1, { created_at: 'yesterday' }),
};
for (const [what, artifact] of Object.entries(refused))
  test(`an artifact is left out that is ${what}, and the others are not`, () => {
    assert.deepEqual(idsOf(artifact, listed(2)), [2]);
  });

test('a list that is none is refused', () => {
  for (const answer of [null, [], { artifacts: [] }, { total_count: 1, artifacts: {} }])
    assert.throws(() => readArtifactPage(answer), { code: 'bad-value' });
  assert.throws(() => readArtifact(null), { code: 'bad-value' });
});

describe('a run', () => {
  const run = (event: string, repository: unknown = { id: 7 }) =>
    readRun({ id: 1, event, head_repository: repository, path: '.github/workflows/deploy.yml' });

  for (const event of ['push', 'workflow_dispatch', 'schedule', 'repository_dispatch', 'release'])
    test(`is trusted for ${event}`, () => assert.equal(isTrustedRun(run(event), trust), true));

  for (const event of ['pull_request', 'pull_request_target', 'issue_comment', 'workflow_run', 'issues', ''])
    test(`is not trusted for ${event || 'no event'}`, () => assert.equal(isTrustedRun(run(event), trust), false));

  test('of another repository, of none, or gone is not trusted', () => {
    for (const each of [run('push', { id: 8 }), run('push', null), null])
      assert.equal(isTrustedRun(each, trust), false);
  });
});

test('the key of a cache tells the id of an artifact, where it is one of ours', () => {
  assert.equal(pointerIn('deployment-history-prod/77-2-1234', 'deployment-history-prod'), 1234);
  for (const key of [
    '',
    'deployment-history-prod/',
    'deployment-history-prod/77-2-x',
    'deployment-history-prod/1-77-2-3',
    'x/77-2-3',
  ])
    assert.equal(pointerIn(key, 'deployment-history-prod'), null, key);
});
