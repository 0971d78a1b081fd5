// What the actions say, where something is wrong with the project, and where something was done to it.
import assert from 'node:assert/strict';
import { chmod, chown } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { stringify } from 'yaml';
import { isRoot } from '../lab/command.ts';
import { type ActionResult, runAction } from '../lab/runner.ts';
import { adviceIn, logOf } from './expectations.ts';
import { backup } from './sets.ts';
import { deployedWell, type Shape, twoReleases, withShape } from './shapes.ts';
import { registryForFile, startHostForFile } from './stage.ts';
import { findingOf, verify } from './verifications.ts';

const ground = await registryForFile();

/** The first line of the summary. */
const headline = ({ summary }: ActionResult) => summary.split('\n')[0] ?? '';
const braced = (text: string) => `$\{${text}}`;
const named = (shape: Shape) => ({ '.env': `COMPOSE_PROJECT_NAME=${shape.host.project}\nTAG=v2\n` });
/** In no file but where a test puts it. */
const secret = 'opensesame';

/** rollback-action refuses, and the check of the set-up fails, in the same words. */
async function bothSay(shape: Shape, message: RegExp, remedy: RegExp, inputs = {}): Promise<void> {
  const rolledBack = await shape.rollBack({ target: 'v1', ...inputs });
  const log = logOf(rolledBack);
  assert.equal(rolledBack.outputs['status'], 'refused', log);
  assert.match(log, /rollback-action failed%3A bad-compose-config/);
  assert.match(log, message);
  assert.match(adviceIn(rolledBack), remedy);
  const verified = await shape.verify({ checks: 'setup', ...inputs });
  const { result, severity, detail, remedy: said } = findingOf(verified, 'compose file');
  assert.deepEqual([result, severity], ['failed', 'error']);
  assert.match(detail, message);
  assert.match(said ?? '', remedy);
  const deployment = await shape.verify(inputs);
  assert.match(logOf(deployment), message);
  for (const { stdout, stderr, summary, outputs } of [rolledBack, verified, deployment])
    assert.doesNotMatch([stdout, stderr, summary, ...Object.values(outputs)].join('\n'), new RegExp(secret));
}

describe('what compose says of a mistake', { concurrency: 2 }, () => {
  test('is shown, with the command and who has to type it', async (context) => {
    await withShape(ground, { name: 'mistakes' }, async (shape) => {
      const { deployDir, account } = shape.host;
      const good = { 'docker-compose.yml': { services: { app: shape.app() } } };
      await shape.write(good);
      await shape.deploy('v1');
      await shape.serves('v1');
      const check = `On the host, as ${account.name}: cd ${deployDir} && docker compose`;
      const files = '-f docker-compose\\.yml';

      await context.test('a key that does not exist', async () => {
        await shape.write({
          'docker-compose.yml': { services: { app: shape.app({ enviroment: { PW: secret } }) } },
        });
        await bothSay(shape, /services\.app.*enviroment.*not allowed/, new RegExp(`${check}.*config --quiet`));
      });
      await context.test('a file of variables that is not there, and another env file', async () => {
        await shape.write({
          ...named(shape),
          'docker-compose.yml': { services: { app: shape.app({ env_file: 'secrets.env', hostname: secret }) } },
          'prod.env': named(shape)['.env'],
        });
        await bothSay(
          shape,
          new RegExp(`env file ${deployDir}/secrets\\.env not found`),
          new RegExp(`${deployDir}/secrets\\.env.*--env-file prod\\.env -f docker-compose\\.yml config`),
          { 'env-file': 'prod.env', 'project-name': shape.host.project },
        );
      });
      await context.test('a variable without a value', async () => {
        await shape.write({
          'docker-compose.yml': {
            services: { app: shape.app({ environment: { KEY: braced(`KEY:?${secret}`) } }) },
          },
        });
        await bothSay(
          shape,
          /services\.app\.environment\.KEY: required variable KEY is missing a value/,
          new RegExp(`Set KEY in ${deployDir}/\\.env.*${files} config`),
          { 'compose-file': 'docker-compose.yml' },
        );
      });
      await context.test('a line that is no YAML', async () => {
        await shape.write({
          ...named(shape),
          'docker-compose.yml': `${stringify(good['docker-compose.yml'])}    environment:\n      PW: x: ${secret}\n`,
        });
        await bothSay(shape, /yaml: line \d+: mapping values are not allowed in this context/, /config --quiet/);
      });
      await context.test('what is hidden has the command that shows it', async () => {
        await shape.write({ 'docker-compose.yml': `${secret}: 1\nservices: {app: {image: [${secret}]}}\n` });
        await shape.write({ '.env': `${secret}-${secret} = x y\n` });
        const result = await shape.rollBack({ target: 'v1' });
        assert.doesNotMatch(logOf(result), new RegExp(secret));
        assert.match(adviceIn(result), /docker compose.* config --quiet/);
      });
      await context.test('an env file that root owns', { skip: !isRoot() }, async () => {
        await shape.write({ ...good, ...named(shape) });
        await chown(join(deployDir, '.env'), 0, 0);
        await chmod(join(deployDir, '.env'), 0o600);
        await bothSay(
          shape,
          new RegExp(`open ${deployDir}/\\.env: permission denied`),
          new RegExp(`As root: chown ${account.name} ${deployDir}/\\.env`),
        );
      });
      await context.test('a file that the inputs name and that is not there, in all three actions', async () => {
        await shape.write(named(shape));
        const { 'ssh-key': key, ...rest } = shape.host.inputs();
        const inputs = { ...rest, ...(key && { 'ssh-key': key }), 'backup-dir': shape.host.newBackupDir() };
        for (const [input, name] of [
          ['compose-file', 'nope.yml'],
          ['env-file', 'nope.env'],
        ] as const)
          for (const action of ['backup', 'rollback', 'verify'] as const) {
            const result = await runAction(action, {
              ...inputs,
              environment: 'lab',
              [input]: name,
              ...(action === 'verify' && { checks: 'setup' }),
            });
            assert.match(logOf(result), new RegExp(`"${input}"`), `${action}: ${logOf(result)}`);
            assert.match(logOf(result), new RegExp(name.replace('.', '\\.')), action);
            assert.equal(result.exitCode, 1);
          }
      });
    });
  });

  test('a variable that is not set is a warning', async () => {
    await withShape(ground, { name: 'unset' }, async (shape) => {
      await shape.write({
        'docker-compose.yml': { services: { app: shape.app({ environment: { COLOUR: braced('COLOUR') } }) } },
      });
      await twoReleases(shape);
      const { result, severity, detail } = findingOf(await shape.verify({ checks: 'setup' }), 'compose file');
      assert.deepEqual([result, severity], ['failed', 'warning']);
      assert.match(detail, /COLOUR is not set/);
    });
  });
});

describe('the summary', { concurrency: 2 }, () => {
  test('of a deployment names the release, of a rollback what went on and what was printed last', async () => {
    const versions = ['v1', 'v2', { version: 'dead', ill: 'start' } as const];
    await withShape(ground, { name: 'summaries', versions }, async (shape) => {
      await shape.write({ 'docker-compose.yml': { services: { app: shape.app() } } });
      await shape.deploy('v1');
      await shape.serves('v1');
      const none = await shape.rollBack();
      assert.match(logOf(none), /rollback-action failed%3A no-target/);
      assert.match(none.summary, /\| Service \| Runs \|/);
      assert.match(none.summary, /\| app \| v1 \([0-9a-f]{12}\) \|/);

      await deployedWell(shape, 'v1');
      await shape.deploy('v2');
      const verified = await shape.verify();
      assert.match(headline(verified), /^## (✅|⚠️) lab is verified.*: app v2 \([0-9a-f]{12}\)/);
      assert.match(verified.stdout, /lab is verified.*: app v2 \([0-9a-f]{12}\)/);

      const row = /\| app \| v2 \([0-9a-f]{12}\) \| (v1|dead)( \([0-9a-f]{12}\))? \| recreate \|/;
      const planned = await shape.rollBack({ 'plan-only': 'true' });
      assert.match(planned.summary, row);

      const refused = await shape.rollBack({ 'expect-plan': '0'.repeat(64) });
      assert.match(refused.summary, /nothing was stopped/);
      assert.match(refused.summary, row);

      const { username, password } = shape.registry;
      const login = { 'registry-username': username, 'registry-password': password };
      const reverted = await shape.rollBack({ target: 'dead', ...login });
      assert.equal(reverted.outputs['status'], 'reverted', logOf(reverted));
      assert.match(reverted.summary, row);
      assert.match(reverted.summary, /\| Longest downtime \| [\d.]+ (ms|s) \|/);
      assert.match(reverted.summary, /app {2}[─×━]{60}/);
      assert.match(reverted.summary, /The last lines of app/);
      const [, lines = ''] = /The last lines of app.*?\n+```\n(.*?)\n```/s.exec(reverted.summary) ?? [];
      assert.match(lines, /\S/);
      assert.ok(lines.split('\n').length <= 15, lines);
      assert.match(reverted.stdout, /host │.*app: .*fatal: cannot start/);

      const left = await shape.rollBack({ target: 'dead', services: 'app', 'on-failure': 'leave', ...login });
      assert.equal(left.outputs['status'], 'failed', logOf(left));
      assert.match(left.summary, /The last lines of app.*fatal: cannot start/s);
    });
  });

  test('of a drill names what it has proven, and does not call a project verified whose database is down', async () => {
    const host = await startHostForFile(ground.lab, { name: 'drilled' });
    const backupDir = host.newBackupDir();
    const id = (await backup(host, backupDir)).outputs['backup-id'] ?? '';
    const good = await verify(host, backupDir, { checks: 'drill' });
    const proven = `backup ${id} of "atlasia", [\\d,]+ rows, recovered in [\\d.]+ (ms|s)`;
    assert.match(headline(good), new RegExp(`^## ✅ The backup of prod is verified: ${proven}$`), logOf(good));
    assert.match(good.stdout, new RegExp(proven));
    await host.docker('stop', await host.container('db'));
    for (const checks of ['drill', 'backups']) {
      const down = await verify(host, backupDir, { checks, 'db-name': 'atlasia' });
      assert.equal(down.outputs['status'], 'failed', logOf(down));
      const { result, detail, remedy } = findingOf(down, 'database');
      assert.equal(result, 'failed');
      assert.match(detail, /db.*(not running|exited)/);
      assert.match(remedy ?? '', /docker/);
      assert.match(headline(down), /^## ❌/);
    }
  });
});
