// Names, values and voices that want to be something else: a command of the runner's, markup, a shell's words. And the
// secrets: where they must never be seen.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { identifier } from '../lab/database.ts';
import * as faults from '../lab/faults.ts';
import { processes } from '../lab/processes.ts';
import type { ActionResult } from '../lab/runner.ts';
import { commandsAreOurs, hostIsClean, runnerIsClean, succeeded } from './expectations.ts';
import { backup, bash, manifestOf, namesIn, read, smallDatabase, startBackup } from './sets.ts';
import { hostForFile } from './stage.ts';

/** What no part of a host may get away with. Each leaves this file behind where a shell takes it for its own words. */
const trap = '/tmp/atlasia-pwned';
const hostile = [
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a shell's
  'it\'s "quoted" `touch /tmp/atlasia-pwned` $(touch /tmp/atlasia-pwned) ${HOME}; touch /tmp/atlasia-pwned',
  '::set-output name=status::succeeded',
  ' \t::add-mask::succeeded',
  '##[error]forged ##[set-env name=PATH]/evil',
  'a\r::error::after a carriage return',
  'a\n::error::on a line of its own',
  '\u001b[2J\u001b]0;title\u0007\u001b[31mred',
  '<script>alert(1)</script><img src=x onerror=x>|](http://evil) **bold** `code` ![x](http://evil)',
  '-rf --help',
  '\u202egnitirw-thgir\u200b::error::\u2066',
];

rmSync(trap, { force: true });
// Only a folder can be called so, not a compose project.
const { host } = await hostForFile({ name: 'hostile', deployFolder: "a ##[error]it's $(touch x) `id` ::error::" });

/** Nothing that anybody said was obeyed, neither by the runner, nor by a shell, nor by who shows the summary. */
async function nothingIsObeyed(result: ActionResult, dir: string): Promise<void> {
  runnerIsClean(result);
  assert.equal(existsSync(trap), false, 'a shell took a name for a command');
  assert.doesNotMatch(result.stdout.replaceAll(/\x1b\[[\d;]*m/g, ''), /[\x00-\x08\x0b-\x1f\x7f\u202e\u2066\u200b]/);
  assert.doesNotMatch(result.stdout, /\x1b\](?:0;)?|\x1b\[2J/);
  summaryIsWhole(result.summary);

  for (const name of namesIn(host.files(dir)).filter((path) => /\.(txt|log)$/.test(path))) {
    const text = await read(host, `${dir}/${name}`);
    assert.doesNotMatch(text, /[\x00-\x08\x0b-\x1f\x7f\u202e\u2066\u200b]/, name);
  }
}

/** Outside of code, nothing foreign is markup; every fence and fold is closed. */
function summaryIsWhole(summary: string): void {
  const fences = summary.match(/^`{3,}\w*$/gm) ?? [];
  assert.equal(fences.length % 2, 0, summary);
  // Our own link to what a failure means, word for word.
  const ours =
    /^\[What ` [a-z-]+ ` means, and what else helps\]\(https:\/\/github\.com\/atlasia\/actions\/blob\/v1\/docs\/troubleshooting\.md#[a-z-]+\)$/gm;
  const prose = summary
    .replaceAll(ours, '')
    .replaceAll(/^(`{3,})\w*\n[\s\S]*?\n\1$/gm, '')
    .replaceAll(/(`+) [^\n]*? \1/g, '');
  assert.doesNotMatch(prose, /<(?!\/?(details|summary)>)/, summary);
  assert.doesNotMatch(prose, /(?<!\\)\]\(|(?<!\\)!\[|(?<!\\)\*\*|https?:\/\/evil/, summary);
  assert.equal(prose.match(/<details>/g)?.length, prose.match(/<\/details>/g)?.length, summary);
  // Each row of a table has as many cells as its head.
  for (const table of prose.split(/\n\n/).filter((block) => block.startsWith('|'))) {
    const cells = table.split('\n').map((line) => line.match(/(?<!\\)\|/g)?.length);
    assert.equal(new Set(cells).size, 1, table);
  }
}

describe('hostile names', () => {
  test('of tables and folders are told of, and do nothing', async () => {
    await host.psql('CREATE SCHEMA odd;');
    for (const [index, name] of hostile.entries()) {
      await host.psql(`CREATE TABLE odd.${identifier(name.slice(0, 50))} (a${index} int);`);
    }
    const dir = host.newBackupDir();
    const result = await backup(host, dir);
    succeeded(result);
    await nothingIsObeyed(result, dir);
    const manifest = await manifestOf(host, result);
    const names = (manifest['tables'] as { name: string }[]).map(({ name }) => name);
    for (const name of hostile) {
      assert.ok(names.includes(name.slice(0, 50)), `${JSON.stringify(name)} in ${JSON.stringify(names)}`);
    }

    // The schema's changes are shown, too.
    await host.psql(
      hostile.map((name, index) => `ALTER TABLE odd.${identifier(name.slice(0, 50))} ADD b${index} text;`).join('\n'),
    );
    const next = await backup(host, dir);
    succeeded(next);
    await nothingIsObeyed(next, dir);
    assert.match(next.summary, /Schema: \d+ objects? changed since/);
  });

  // The restore's tests have the others.
  for (const name of hostile.filter((text) => /^[ \x1b<\u202e]/.test(text))) {
    test(`of a database: ${JSON.stringify(name)}`, async () => {
      const database = Buffer.from(name).subarray(0, 50).toString();
      await smallDatabase(host, database, 1);
      const dir = host.newBackupDir();
      const result = await backup(host, dir, { 'db-name': database });
      await host.database.drop(database);
      // White space around an input is taken off, so this one cannot be named.
      if (database.trim() === database) {
        succeeded(result);
        assert.equal((await manifestOf(host, result))['database'], database);
      } else {
        assert.match(result.stdout, /database .* does not exist/);
      }
      await nothingIsObeyed(result, dir);
    });
  }

  test('of what is not there come back in errors', async () => {
    const dir = host.newBackupDir();
    const tries = [
      ...hostile.slice(0, 4).map((text) => ({ 'db-user': text })),
      { 'db-name': hostile[4] ?? '' },
      { 'db-service': hostile[1] ?? '' },
      { 'project-name': hostile[3] ?? '' },
      { 'backup-dir': `/nowhere/${hostile[1]}` },
      { 'log-file': `x\n${hostile[1]}` },
      { timezone: hostile[3] ?? '' },
    ];
    for (const inputs of tries) {
      const result = await backup(host, dir, inputs);
      assert.equal(result.exitCode, 1, JSON.stringify(inputs));
      assert.equal(result.outputs['status'], 'failed');
      await nothingIsObeyed(result, dir);
    }
  });
});

test('what the database and the login say does nothing', async () => {
  const dir = host.newBackupDir();
  const said = '::error::said\n##[error]said\r::set-output name=status::said \x1b[2Jsaid';
  await smallDatabase(host, 'talks', 5);
  // pg_dump prints what the server says to its session, and fails at what this function throws.
  await host.psql(
    `CREATE FUNCTION shout() RETURNS boolean LANGUAGE plpgsql AS $f$
     BEGIN RAISE WARNING E'${escaped(said)}'; RAISE EXCEPTION E'${escaped(said)}'; END $f$;
     CREATE MATERIALIZED VIEW loud AS SELECT 1 AS one;
     CREATE TABLE odd (a int, CHECK (a > 0));`,
    'talks',
  );
  const path = (await inDatabase('readlink -f "$(command -v pg_dump)"')).trim();
  const wrapper = `#!/bin/sh\nprintf '${escaped(said)}\\n' >&2\nexec ${path}.real "$@"\n`;
  await inDatabase('mv "$1" "$1.real" && printf %s "$2" >"$1" && chmod 755 "$1"', path, wrapper);
  try {
    const result = await backup(host, dir, { 'db-name': 'talks' });
    succeeded(result);
    await nothingIsObeyed(result, dir);
    assert.match(await bash(host, 'cat -- "$1"/postgres-*.log', dir), /said/);
  } finally {
    await inDatabase('mv "$1.real" "$1"', path);
  }

  // And what it says where it refuses.
  const failing = `#!/bin/sh\nprintf '${escaped(said)}\\n' >&2\nexit 1\n`;
  await inDatabase('mv "$1" "$1.real" && printf %s "$2" >"$1" && chmod 755 "$1"', path, failing);
  try {
    const result = await backup(host, dir, { 'db-name': 'talks' });
    assert.equal(result.exitCode, 1);
    await nothingIsObeyed(result, dir);
    assert.match(await bash(host, 'cat -- "$1"/postgres-*.log', dir), /said/);
  } finally {
    await inDatabase('mv "$1.real" "$1"', path);
  }
  await host.database.drop('talks');
});

test('no secret is seen: in no log, output, file or list of processes', async () => {
  const dir = host.newBackupDir();
  const settings = readFileSync(join(host.deployDir, '.env'), 'utf8');
  const [, databasePassword = ''] = /^POSTGRES_PASSWORD=(.*)$/m.exec(settings) ?? [];
  const hashes = await host.psql('SELECT rolpassword FROM pg_authid WHERE rolpassword IS NOT NULL;');
  const keyLines = host.key.privateKey.split('\n').filter((line) => line !== '' && !line.startsWith('-----'));
  const secrets = [databasePassword, ...hashes.split('\n'), 'never in a file', ...keyLines];
  assert.ok(secrets.length > 6 && secrets.every((secret) => secret.length > 10), `${secrets.length}`);

  const release = await faults.stallDumps(host);
  const action = await startBackup(host, dir);
  let commandLines: string[];
  try {
    await faults.dumpStalled(host);
    commandLines = processes().map(({ command }) => command.join(' '));
    assert.ok(commandLines.some((line) => /\bpg_dump\b.*--snapshot/.test(line)));
  } finally {
    await release();
  }
  const result = await action.finished;
  succeeded(result);
  commandsAreOurs(result);

  const places = new Map([
    // Only the masks may name a secret: the runner takes those out of the log.
    ['the log', `${result.stdout}${result.stderr}`.replaceAll(/^::add-mask::.*$/gm, '')],
    ['the outputs', JSON.stringify([result.outputs, result.state, result.env])],
    ['the summary', result.summary],
    ['the list of processes', commandLines.join('\n')],
    ['the log of the SSH server', host.ssh.log()],
  ]);
  for (const name of namesIn(host.files(dir)).filter((path) => !path.includes('.dump.'))) {
    const content = await bash(host, 'if [[ $1 == *.gz ]]; then zcat -- "$1"; else cat -- "$1"; fi', `${dir}/${name}`);
    places.set(name, content);
  }
  assert.ok(places.size > 20, [...places.keys()].join());
  for (const [place, text] of places) {
    for (const secret of secrets) assert.equal(text.includes(secret), false, `a secret in ${place}`);
  }
  assert.deepEqual(
    result.commands.filter(({ name }) => name === 'add-mask').map(({ message }) => message),
    host.key.privateKey.trim().split('\n'),
  );
  await hostIsClean(host);
});

const inDatabase = async (script: string, ...words: string[]) =>
  host.docker('exec', '--user', '0', await host.container('db'), 'sh', '-c', script, 'sh', ...words);

const escaped = (text: string) =>
  text.replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\x1b', '\\033').replaceAll("'", "'\\''");
