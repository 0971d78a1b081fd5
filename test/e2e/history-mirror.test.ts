// Copies of the history off the host: GitHub's own libraries against a real blob store. What GitHub says of an artifact
// decides whether it is read, and nothing that goes wrong here fails an action.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { HistoryMirror } from '../../shared/history/known-history.ts';
import { workflowContext } from '../../shared/runner/context.ts';
import { type Github, startGithub } from '../lab/github.ts';
import type { GithubRun, RunFacts } from '../lab/github-results.ts';
import { github as runnerWords } from '../lab/runner/step.ts';
import { ofTheCacheLibrary } from './expectations.ts';

let github: Github;
let temp: string;
let historyMirror: typeof import('../../shared/runner/history-mirror.ts').historyMirror;
const payload = { repository: { default_branch: 'main' } };

before(async () => {
  github = await startGithub();
  temp = mkdtempSync(join(tmpdir(), 'mirror-'));
  // One of the libraries reads the address of the API when it is loaded.
  Object.assign(process.env, { ...github.startRun().env, RUNNER_TEMP: temp, GITHUB_WORKSPACE: temp });
  ({ historyMirror } = await import('../../shared/runner/history-mirror.ts'));
});

after(() => github?.close());

beforeEach(() => github.startAnew());

/** What a step of a run has: from now on, this process is one. */
function stepOf(
  run: GithubRun,
  over: { environment?: string; cache?: boolean; token?: string | null } = {},
): HistoryMirror {
  Object.assign(process.env, run.env);
  const { environment = 'prod', cache = true, token = github.token } = over;
  const words = { GITHUB_REPOSITORY: runnerWords.repository, GITHUB_REPOSITORY_ID: runnerWords.repository_id };
  return historyMirror({
    environment,
    kinds: cache ? ['artifact', 'cache'] : ['artifact'],
    token,
    workflow: workflowContext({ ...words, ...run.env }, payload),
  });
}

const never = (): string => assert.fail('this run has stored nothing before');

/** A run that stores a text. */
async function stored(
  text: string,
  facts: Partial<RunFacts> = {},
  over: Parameters<typeof stepOf>[1] = {},
): Promise<GithubRun> {
  const run = github.startRun(facts);
  assert.deepEqual(await stepOf(run, over).save(text, never), { notices: [] });
  return run;
}

const load = (over: Parameters<typeof stepOf>[1] = {}) => stepOf(github.startRun(), over).load();

/** Puts an artifact there that holds something else, as another action could. */
async function forged(files: Record<string, string | Buffer>): Promise<void> {
  const { DefaultArtifactClient } = await import('@actions/artifact');
  Object.assign(process.env, github.startRun().env);
  const folder = mkdtempSync(join(temp, 'forged-'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  const paths = Object.keys(files).map((name) => join(folder, name));
  await new DefaultArtifactClient().uploadArtifact('deployment-history-prod', paths, folder);
  rmSync(folder, { recursive: true });
}

describe('a copy', () => {
  for (const cache of [true, false]) {
    test(`is found by later runs, ${cache ? 'by way of the cache' : 'without a cache'}`, async () => {
      assert.deepEqual(await load({ cache }), { texts: [], notices: [], needsRefresh: true });
      await stored('one\n', {}, { cache });
      assert.deepEqual(await load({ cache }), { texts: ['one\n'], notices: [], needsRefresh: false });
      assert.equal(github.caches.length, cache ? 1 : 0);
    });
  }

  test('is one of several, the newest first, so that what two runs wrote past each other is united', async () => {
    await stored('one\n');
    const [first, second] = [github.startRun(), github.startRun()];
    await stepOf(first).save('one\ntwo\n', never);
    await stepOf(second).save('one\nthree\n', never);
    assert.deepEqual((await load()).texts, ['one\nthree\n', 'one\ntwo\n', 'one\n']);
  });

  test('is one of the ten newest, also in a list without order', async () => {
    for (let number = 1; number <= 12; number += 1) await stored(`${number}`, {}, { cache: false });
    github.artifacts.reverse();
    github.artifacts.push(github.artifacts.shift() ?? assert.fail());
    const { texts } = await load({ cache: false });
    assert.deepEqual(texts, ['12', '11', '10', '9', '8', '7', '6', '5', '4', '3']);
  });

  test('of a second step of the same run takes the place of the first, and holds both', async () => {
    const run = await stored('one\n');
    const seen: string[] = [];
    const { notices } = await stepOf(run).save('two\n', (other) => {
      seen.push(other);
      return `${other}two\n`;
    });
    assert.deepEqual([notices, seen], [[], ['one\n']]);
    assert.deepEqual((await load()).texts, ['one\ntwo\n']);
    assert.equal(github.artifacts.length, 1);
  });

  test('is kept apart for each environment, whatever it is called', async () => {
    for (const environment of ['a_b', 'a', 'a-1', 'A.b']) await stored(environment, {}, { environment });
    for (const environment of ['a_b', 'a', 'a-1', 'A.b'])
      assert.deepEqual((await load({ environment })).texts, [environment]);
  });

  test('is stored again before the newest expires', async () => {
    await stored('one\n');
    const [artifact] = github.artifacts;
    assert.ok(artifact);
    artifact.expiresAt = new Date(Date.now() + 29 * 24 * 3_600_000);
    assert.equal((await load()).needsRefresh, true);
    artifact.expired = true;
    assert.deepEqual(await load(), { texts: [], notices: [], needsRefresh: true });
  });

  test('leaves nothing in the folder of the job', async () => {
    const earlier = readdirSync(temp);
    await stored('one\n');
    await load();
    const left = readdirSync(temp).filter((name) => !earlier.includes(name) && !ofTheCacheLibrary.test(name));
    assert.deepEqual(left, []);
  });
});

describe('the cache', () => {
  test('saves the pages of a long list', async () => {
    await stored('newest');
    const [newest] = github.artifacts;
    assert.ok(newest);
    // Old ones that nobody would trust, so that they cost no download.
    const fork = github.startRun({ headRepositoryId: 9 });
    const old = { ...newest, run: fork, createdAt: new Date(0) };
    github.artifacts.unshift(...Array.from({ length: 250 }, (_, index) => ({ ...old, id: 100_000 + index })));
    const pages = () => github.requests.splice(0).filter((path) => path.includes('per_page')).length;
    pages();
    assert.deepEqual((await load()).texts, ['newest']);
    assert.equal(pages(), 1);
    assert.deepEqual((await load({ cache: false })).texts, ['newest']);
    assert.equal(pages(), 3);
  });

  test('that points at an artifact of a fork gets it no trust', async () => {
    await stored('good');
    await stored('evil', { headRepositoryId: 9 });
    assert.equal(github.caches.length, 2);
    assert.deepEqual((await load()).texts, ['good']);
  });

  test('that points at nothing is no harm', async () => {
    await stored('good');
    const [entry] = github.caches;
    assert.ok(entry);
    entry.key = entry.key.replace(/\d+$/, '999999');
    assert.deepEqual(await load(), { texts: ['good'], notices: [], needsRefresh: false });
  });

  test('is never unpacked', async () => {
    await stored('good');
    github.requests.length = 0;
    // Whoever asked the blob store for it would get an error.
    for (const entry of github.caches) entry.blob = 'gone';
    assert.deepEqual((await load()).notices, []);
    assert.ok(github.requests.includes('GetCacheEntryDownloadURL'));
  });
});

describe('not trusted is', () => {
  const strangers: Record<string, Partial<RunFacts>> = {
    'a fork whose branch has the same name': { headRepositoryId: 9, event: 'push' },
    'a fork in a pull request': { headRepositoryId: 9, event: 'pull_request' },
    'a pull request of the repository itself': { event: 'pull_request' },
    'a comment': { event: 'issue_comment' },
    'a run that another workflow caused': { event: 'workflow_run' },
    'another branch': { headBranch: 'feature' },
    'another repository': { repositoryId: 9 },
  };
  for (const [who, facts] of Object.entries(strangers))
    test(who, async () => {
      await stored('good\n');
      await stored('evil\n', facts);
      assert.deepEqual(await load(), { texts: ['good\n'], notices: [], needsRefresh: false });
    });

  test('a copy that was changed, and that is told', async () => {
    await stored('good\n');
    await stored('evil\n');
    const [good, evil] = github.artifacts;
    assert.ok(good && evil);
    evil.digest = good.digest.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    const { texts, notices } = await load();
    assert.deepEqual(texts, ['good\n']);
    assert.match(notices.join(), /^Ignored a copy of the history: The artifact \d+ does not match its digest$/);
  });

  for (const [what, files, why] of [
    ['two files', { 'a.jsonl': 'a', 'b.jsonl': 'b' }, /does not contain exactly one regular file/],
    ['a folder', { 'a/history.jsonl': 'a', b: 'b' }, /does not contain exactly one regular file/],
    ['more than 1 MiB', { 'history.jsonl': 'x'.repeat(1024 * 1024 + 1) }, /is larger than 1 MiB/],
  ] as const)
    test(`an artifact that holds ${what}, and that is told`, async () => {
      await stored('good\n');
      await forged(files);
      const { texts, notices } = await load();
      assert.deepEqual(texts, ['good\n']);
      assert.match(notices.join(), why);
    });

  const mebibyte = 1024 * 1024;
  for (const [what, content] of [
    ['unpacks to 400 MiB', Buffer.alloc(400 * mebibyte)],
    ['is longer than GitHub says', randomBytes(40 * mebibyte)],
  ] as const)
    test(`an artifact that ${what}, which is neither unpacked nor fetched in full`, async () => {
      await stored('good\n');
      await forged({ 'history.jsonl': content });
      const bomb = github.artifacts.at(-1);
      assert.ok(bomb);
      bomb.bytes = Math.min(bomb.bytes, mebibyte);
      let most = 0;
      const [before, memory] = [bytesIn(temp), process.memoryUsage().arrayBuffers];
      const watching = setInterval(() => {
        most = Math.max(most, bytesIn(temp) - before, process.memoryUsage().arrayBuffers - memory);
      }, 5);
      const { texts, notices } = await load().finally(() => clearInterval(watching));
      assert.deepEqual(texts, ['good\n']);
      assert.match(notices.join(), /^Ignored a copy of the history: The artifact \d+ is larger than 1 MiB$/);
      assert.ok(bytesIn(temp) - before < mebibyte, 'something of it is left');
      assert.ok(most < 16 * mebibyte, `${most} bytes were taken for it`);
    });

  test('nor is one of the same run, whose place is to be taken', async () => {
    await forged({ 'history.jsonl': Buffer.alloc(200 * mebibyte) });
    const [bomb] = github.artifacts;
    assert.ok(bomb);
    const { notices } = await stepOf(bomb.run).save('one\n', never);
    assert.match(notices.join(), /^Could not store a copy of the history: The artifact \d+ is larger than 1 MiB$/);
  });
});

/** All files of a folder, together. */
function bytesIn(folder: string): number {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return files
    .map((name) => statSync(join(folder, name), { throwIfNoEntry: false }))
    .reduce((sum, found) => sum + (found?.isFile() ? found.size : 0), 0);
}

describe('nothing fails, and it is told,', () => {
  test('where the token may not read', async () => {
    await stored('one\n');
    github.mayReadActions = false;
    const { texts, notices, needsRefresh } = await load();
    assert.deepEqual([texts, needsRefresh], [[], true]);
    assert.match(
      notices.join(),
      /^Could not read copies of the history: GitHub refused with 403; .*"permissions: actions: read"/,
    );
    // To store one needs no permission.
    assert.deepEqual(await stepOf(github.startRun()).save('two\n', never), { notices: [] });
  });

  test('where there is no token', async () => {
    assert.match((await load({ token: null })).notices.join(), /no "github-token" was given/);
  });

  test('where GitHub answers with errors', async () => {
    github.fault = { path: /\/repos\//, answer: 500 };
    assert.equal(
      (await load()).notices.join(),
      'Could not read copies of the history: GitHub refused with 500; it said: planted',
    );
  });

  // Each of GitHub's answers is told as it is; of those that its library asks again after, the last.
  for (const [method, status, why] of [
    ['CreateArtifact', 401, /: Failed to CreateArtifact: .*\(401\) Unauthorized: planted$/],
    ['CreateArtifact', 403, /: Failed to CreateArtifact: .*\(403\) Forbidden: planted$/],
    ['CreateArtifact', 409, /: Failed to CreateArtifact: .*\(409\) Conflict: planted$/],
    ['FinalizeArtifact', 409, /: Failed to FinalizeArtifact: .*\(409\) Conflict: planted$/],
    ['CreateArtifact', 429, /GitHub did not do it within 20 s; its last answer: .*\(429\) Too Many Requests: planted$/],
    ['FinalizeArtifact', 500, /GitHub did not do it within 20 s; its last answer: .*\(500\) .*: planted$/],
  ] as const)
    test(`where ${method} is answered with ${status}`, async () => {
      github.fault = { path: new RegExp(method), answer: status };
      const { notices } = await stepOf(github.startRun()).save('one\n', never);
      assert.match(notices.join(), /^Could not store a copy of the history: /);
      assert.match(notices.join(), why);
    });

  for (const [status, why] of [
    [403, /\(403\) Forbidden: planted$/],
    [500, /within 3 s; its last answer: .*\(500\) .*: planted$/],
  ] as const)
    test(`where the cache is refused with ${status}`, async () => {
      github.fault = { path: /CreateCacheEntry/, answer: status };
      const { notices } = await stepOf(github.startRun()).save('one\n', never);
      assert.match(notices.join(), /^Stored the history, but not the cache that points to it: /);
      assert.match(notices.join(), why);
    });

  test('where nothing listens', async () => {
    const { env } = github.startRun();
    process.env['GITHUB_API_URL'] = 'http://127.0.0.1:9';
    const mirror = stepOf({ ...github.startRun(), env: { ...env, GITHUB_API_URL: 'http://127.0.0.1:9' } });
    assert.match((await mirror.load()).notices.join(), /^Could not read copies of the history: .*ECONNREFUSED/);
  });

  test('on GitHub Enterprise Server', async () => {
    process.env['GITHUB_SERVER_URL'] = 'https://git.example.com';
    try {
      const { notices } = await stepOf(github.startRun()).save('one\n', never);
      assert.match(
        notices.join(),
        /Could not store a copy of the history: GitHub Enterprise Server does not support them/,
      );
    } finally {
      process.env['GITHUB_SERVER_URL'] = 'https://github.com';
    }
  });

  test('where the step has no artifact service', async () => {
    const run = github.startRun();
    const mirror = stepOf(run);
    delete process.env['ACTIONS_RUNTIME_TOKEN'];
    assert.match((await mirror.save('one\n', never)).notices.join(), /Could not store .*ACTIONS_RUNTIME_TOKEN/);
  });

  test('where the cache alone is silent: copies are stored and read all the same', async () => {
    github.fault = { path: /CacheService/, answer: 'silent' };
    const saved = await stepOf(github.startRun()).save('one\n', never);
    assert.match(saved.notices.join(), /^Stored the history, but not the cache that points to it: GitHub did not/);
    assert.deepEqual(await load(), { texts: ['one\n'], notices: [], needsRefresh: false });
  });

  test('where one copy cannot be had: the others are read', async () => {
    await stored('one\n');
    await stored('two\n');
    const [, newest] = github.artifacts;
    assert.ok(newest);
    newest.blob = 'gone';
    const { texts, notices } = await load();
    assert.deepEqual(texts, ['one\n']);
    assert.match(notices.join(), /^Ignored a copy of the history: The artifact \d+ cannot be fetched: HTTP 404$/);
  });

  test('where GitHub is silent, after 20 s', async () => {
    github.fault = { path: /\/repos\/|\/twirp\//, answer: 'silent' };
    const started = performance.now();
    const [loaded, saved] = await Promise.all([load(), stepOf(github.startRun()).save('one\n', never)]);
    assert.match(loaded.notices.join(), /GitHub did not answer within 20 s/);
    assert.match(saved.notices.join(), /GitHub did not answer within 20 s/);
    assert.ok(performance.now() - started < 50_000);
  });
});
