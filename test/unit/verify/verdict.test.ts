// The verdict names what was verified, and is never that of a project whose database is down.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Group, Tally } from '../../../shared/drill/finding.ts';
import type { RunningImage } from '../../../shared/releases/release.ts';
import type { Survey } from '../../../shared/survey/survey.ts';
import { releaseText } from '../../../verify-action/deployment/judge-images.ts';
import type { VerifyInputs } from '../../../verify-action/inputs.ts';
import { judgeLiveDatabase } from '../../../verify-action/live-database.ts';
import { type Subjects, verdictText } from '../../../verify-action/summary.ts';
import { host } from '../surveyed-host.ts';

describe('the verdict', () => {
  const release = 'app v2 (0123456789ab)';
  const drill = 'backup 20261125_083415 of "shop", 8,316 rows, recovered in 5.5 s';
  const cases: [checks: Group[], status: Tally['status'], warnings: number, subjects: Subjects, text: string][] = [
    [['deployment'], 'verified', 0, { deployment: release }, `prod is verified: ${release}`],
    [['setup', 'deployment'], 'verified', 2, { deployment: release }, `prod is verified, with 2 warnings: ${release}`],
    [['drill'], 'verified', 0, { drill }, `The backup of prod is verified: ${drill}`],
    [['drill', 'deployment'], 'verified', 0, { drill, deployment: release }, `prod is verified: ${drill}; ${release}`],
    [['setup'], 'verified', 0, {}, 'prod is verified'],
    [['deployment'], 'failed', 0, { deployment: release }, `prod failed its verification: ${release}`],
    [['drill'], 'failed', 0, { drill }, 'prod failed its verification'],
    [['drill', 'deployment'], 'could-not-verify', 0, { deployment: release }, `prod could not be verified: ${release}`],
  ];
  for (const [checks, status, warnings, subjects, text] of cases)
    test(text, () => {
      const tally = { status, warnings, passed: 1, failed: 0, couldNotCheck: 0 };
      assert.equal(verdictText(tally, { environment: 'prod', checks } as VerifyInputs, subjects), text);
    });
});

describe('a release', () => {
  const image = (tag: string | null, digit: number): RunningImage => ({
    image: `ghcr.io/acme/x:${tag}`,
    tag,
    digest: null,
    imageId: `sha256:${String(digit).repeat(64)}`,
  });
  const text = (release: Record<string, RunningImage>) =>
    releaseText(release, { databases: new Set(['db']), images: [] });

  test('is named by tag and id of each service, without databases', () => {
    const release = { app: image('v2', 1), db: image('17', 2), worker: image(null, 3) };
    assert.equal(text(release), 'app v2 (111111111111), worker 333333333333');
  });
  test('of many services is named by tag', () => {
    const many = Object.fromEntries(['a', 'b', 'c', 'd'].map((name, index) => [name, image('v2', index)]));
    assert.equal(text({ ...many, edge: image('1.27', 5) }), 'v2: a, b, c, and 1 more; 1.27: edge');
  });
  test('of nothing is not named', () => assert.equal(text({ db: image('17', 2) }), null));
});

describe('the database of a project whose backups alone are looked at', () => {
  const own = (state: string): Survey['candidates'] => [{ service: 'db', state, container: '0123456789abcdef' }];
  const cases: [what: string, changes: Partial<Survey>, result: string | null, detail: RegExp][] = [
    ['is up', {}, 'passed', /^"shop" in the service db accepts connections$/],
    ['has exited', { candidates: own('exited') }, 'failed', /^its container \(service db\) is not running: exited$/],
    ['is paused', { candidates: own('paused') }, 'failed', /not running: paused$/],
    ['does not answer', { probe: { error: 'gone' } }, 'failed', /No command could be run in the database container/],
    [
      'refuses',
      { probe: { output: 'tool psql\nrefuses the database system is starting up' } },
      'failed',
      /starting up/,
    ],
    ['has no container', { candidates: [] }, 'failed', /has no container of a database$/],
    ['is one of several', { candidates: [...own('exited'), ...own('running')] }, null, /./],
    ['is not there, and no project either', { candidates: [], containers: [] }, null, /./],
  ];
  for (const [what, changes, result, detail] of cases)
    test(what, () => {
      const [finding] = judgeLiveDatabase('drill', host(changes)).list;
      assert.equal(finding?.result ?? null, result, finding?.detail);
      if (finding === undefined) return;
      assert.deepEqual([finding.name, finding.group], ['database', 'drill']);
      assert.match(finding.detail, detail);
      assert.equal(finding.remedy === null, result === 'passed');
    });
});
