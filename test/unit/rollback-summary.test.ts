import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { noStory, summarizeFailure } from '../../rollback-action/failure-summary.ts';
import type { RollbackInputs } from '../../rollback-action/inputs.ts';
import { noOutputs } from '../../rollback-action/outputs.ts';
import { Failure } from '../../shared/failure.ts';

describe('the headline of a rollback that was refused', () => {
  const earlier = process.env['GITHUB_STEP_SUMMARY'];
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'summary-'));
  });
  after(() => {
    if (earlier === undefined) delete process.env['GITHUB_STEP_SUMMARY'];
    else process.env['GITHUB_STEP_SUMMARY'] = earlier;
    rmSync(folder, { recursive: true });
  });

  /** @param foundStopped services that had stopped before the swap; null: the run did not come to the transaction */
  function headline(name: string, foundStopped: string[] | null): string {
    const file = join(folder, name);
    process.env['GITHUB_STEP_SUMMARY'] = file;
    const outcome = {
      ending: 'refused' as const,
      failure: null,
      left: false,
      dockerRestarted: false,
      held: false,
      problems: [],
      reloaded: [],
      foundStopped: foundStopped ?? [],
      measurements: [],
      downtimeMs: null,
      failedRequests: null,
    };
    const carried =
      foundStopped === null
        ? null
        : { id: '20261125_083415', outcome, lines: [], log: '', lastWords: [], recorded: null, abandoned: false };
    const inputs = { environment: 'prod', backupDir: '/b' } as RollbackInputs;
    summarizeFailure(new Failure('not-created', 'No'), inputs, noOutputs(), { ...noStory(), carried });
    return readFileSync(file, 'utf8').split('\n')[0] ?? '';
  }

  test('says that nothing was stopped', () => {
    assert.equal(headline('early', null), '## ❌ prod was not rolled back; nothing was stopped');
    assert.equal(headline('late', []), '## ❌ prod was not rolled back; nothing was stopped');
  });

  test('does not say so where something had stopped before the swap', () => {
    assert.equal(headline('stopped', ['web']), '## ❌ prod was not rolled back; what had stopped was started again');
  });
});
