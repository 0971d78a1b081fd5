// The commands that the pages print, typed on a host of the lab. Each block says where it is typed, or why no test types it;
// test/unit/pages.test.ts sees to that. Those of getting-started.md, restore.md and offsite.md, and those of the gate in security.md,
// have tests of their own. Commands within sentences and tables are looked up, not typed.
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { needPrograms } from '../lab/packages.ts';
import { type Help, inlineCommands, unknownIn } from './inline-commands.ts';
import { backup, bash, write } from './sets.ts';
import { hostForFile } from './stage.ts';
import { verify } from './verifications.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const { host } = await hostForFile({ name: 'pages', seed: false });
assert.equal((await backup(host, 'backups')).exitCode, 0);
const newest = await backup(host, 'backups', { format: 'plain', compression: 'gzip', kind: 'predeployment' });
assert.equal(newest.exitCode, 0);
assert.equal((await verify(host, 'backups', { checks: 'deployment', 'stable-for': '1s' })).exitCode, 0);
const ours = host
  .files('backups')
  .map(({ path }) => path)
  .filter((path) => path.startsWith('daily'));
const legacy = join(host.deployDir, 'backups', 'daily', 'backup_20240229_020000.sql.gz');
await write(host, legacy, 'of the scripts');

for (const page of globSync('{docs/*.md,*.md,*-action/README.md}', { cwd: repository })) {
  if (page === 'docs/restore.md') continue;
  const blocks = Array.from(
    readFileSync(join(repository, page), 'utf8').matchAll(
      /^ *<!-- run: the host, as deploy -->\n *```bash\n([\s\S]*?)^ *```$/gm,
    ),
    ([, script = '']) => script,
  );
  for (const [index, script] of blocks.entries()) {
    test(`${page}, block ${index + 1}`, async () => {
      const typed = script
        .replaceAll('/opt/atlasia', host.deployDir)
        .replaceAll('20261123_021703', newest.outputs['backup-id'] ?? '');
      const said = await bash(host, `set -e -o pipefail\n${typed}`);
      if (page.endsWith('quick-reference.md')) {
        const expected = [
          / backup succeeded [\s\S]*\.manifest\.json\nVERIFIED /,
          /^$/,
          /free\nno hold/,
          /"verdict":"good"/,
          /^\S+ \S+ \S+ good \S+=\S+@sha256:/,
        ];
        assert.match(said, expected[index] ?? /never/);
      }
    });
  }
}

test('each command in a sentence or a table has no word or option that its program does not know', async () => {
  await needPrograms({ age: 'age', fuser: 'psmisc', zstd: 'zstd' });
  const database = await host.container('db');
  const asked = new Map<string, Promise<string>>();
  const help: Help = (command) => {
    const words = command.map((word) => (word === 'CONTAINER' ? database : word));
    const key = words.join(' ');
    const answer = asked.get(key) ?? askForHelp(words);
    asked.set(key, answer);
    return answer;
  };
  let looked = 0;
  for (const page of globSync('{docs/*.md,*.md,*-action/README.md,examples/README.md}', { cwd: repository }))
    for (const command of inlineCommands(readFileSync(join(repository, page), 'utf8'))) {
      assert.equal(await unknownIn(command, help), null, `${page}: ${command}`);
      looked += 1;
    }
  assert.ok(looked > 80, String(looked));
  const wrong: [command: string, unknown: string][] = [
    ['docker sytem df', 'docker knows no sytem'],
    ['docker compose up --detatch', 'docker compose up has no option --detatch'],
    ['cat F | docker exec -i CONTAINER psql --quite', 'docker exec CONTAINER psql has no option --quite'],
    ['df -Q', 'df has no option -Q'],
  ];
  for (const [command, unknown] of wrong) assert.equal(await unknownIn(command, help), unknown);
});

async function askForHelp(words: readonly string[]): Promise<string> {
  // Some programs are in folders that only root looks into; some know no such option, and print their usage as an error.
  const ask = 'PATH=$PATH:/usr/sbin:/sbin "$@" --help';
  const { code, stdout, stderr } = await host.exec(['bash', '-c', ask, 'bash', ...words]);
  assert.notEqual(code, 127, stderr);
  return stdout + stderr;
}

test('after moving, the backup of the scripts is elsewhere, and ours are where they were', async () => {
  assert.ok(!existsSync(legacy));
  assert.ok(existsSync(join(host.deployDir, 'backups-of-the-scripts', basename(legacy))));
  const { stdout } = await host.exec(['bash', '-c', 'cd backups/daily && sha256sum --check --quiet -- *.sha256']);
  assert.equal(stdout, '');
  assert.deepEqual(
    host
      .files('backups')
      .map(({ path }) => path)
      .filter((path) => path.startsWith('daily')),
    ours,
  );
});
