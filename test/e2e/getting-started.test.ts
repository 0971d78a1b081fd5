// docs/getting-started.md, line by line: from a host whose user has nothing to the first verified backup. And without the page: what
// the first run prints is enough to get there.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Account } from '../lab/account.ts';
import { asRoot, attempt, run } from '../lab/command.ts';
import { temporaryFolder } from '../lab/folder.ts';
import type { Host } from '../lab/host.ts';
import { makeKey } from '../lab/keys.ts';
import { type SshServer, startSshServer } from '../lab/sshd.ts';
import { runWorkflow, type WorkflowResult } from '../lab/workflow/workflow.ts';
import { registryForFile, startHostForFile } from './stage.ts';

const page = readFileSync(fileURLToPath(new URL('../../docs/getting-started.md', import.meta.url)), 'utf8');
const { lab, registry } = await registryForFile();

/** Where the page is followed. */
interface Newcomer {
  host: Host;
  /** The user that the page calls deploy. */
  name: string;
  /** Of the newcomer's own machine. */
  desk: string;
  ssh: SshServer;
  /** Rights come with a login, so each change of groups wants a new one. */
  logInAnew(): Promise<void>;
}

const users: string[] = [];
after(async () => {
  for (const name of users) await attempt(asRoot(['userdel', '--remove', '--force', name]));
});

async function newcomer(): Promise<Newcomer> {
  const host = await startHostForFile(lab, { name: 'first', seed: false });
  // As root leaves them who has set the project up by hand.
  await run(asRoot(['chown', '-R', 'root:root', host.deployDir]));
  await run(asRoot(['chmod', '0750', host.deployDir]));
  const name = `deploy-${randomBytes(3).toString('hex')}`;
  users.push(name);
  const desk = temporaryFolder('desk');
  const nobody = null as unknown as SshServer;
  return { host, name, desk, ssh: nobody, logInAnew: async () => {} };
}

/** The SSH server of the host: it runs as the user that it lets in, which must be there. */
async function startSsh(all: Newcomer): Promise<void> {
  const [, , uid, gid, , home = ''] = (await run(['getent', 'passwd', all.name])).trim().split(':');
  const account: Account = { name: all.name, uid: Number(uid), gid: Number(gid), home };
  const folder = temporaryFolder('sshd');
  await run(['chmod', '0755', folder]);
  const settings = ['AuthorizedKeysFile .ssh/authorized_keys'];
  const start = () => {
    const own = join(folder, randomBytes(4).toString('hex'));
    mkdirSync(own);
    return startSshServer({ folder: own, account, authorized: [], environment: lab.engine.environment, settings });
  };
  all.ssh = await start();
  all.logInAnew = async () => {
    await all.ssh.stop();
    all.ssh = await start();
  };
}

/** The blocks of commands, with where each is typed. */
const blocks = Array.from(
  page.matchAll(/^<!-- (run|not run): (.*) -->\n```bash\n([\s\S]*?)^```$/gm),
  ([, how, where = '', script = '']) => ({
    isRun: how === 'run',
    where,
    script,
  }),
);

/** As the newcomer types it: with the own host, folder and user. */
function typed(script: string, { name, host, ssh, desk }: Newcomer): string {
  const own = script
    .replaceAll('/opt/atlasia', host.deployDir)
    .replaceAll(/\bdeploy\b(?=[:/\s])/g, name)
    .replaceAll(`~${name}`, `/home/${name}`);
  const reachable =
    ssh === null ? own : own.replaceAll('ssh-keyscan db1.example.org', `ssh-keyscan -p ${ssh.port} 127.0.0.1`);
  return reachable
    .replace('/etc/ssh/ssh_host_*_key.pub', `${desk}/host_*_key.pub`)
    .replace('PASTE THE LINE HERE', () => readFileSync(join(desk, 'atlasia_key.pub'), 'utf8').trim());
}

async function type(where: string, script: string, { desk }: Newcomer): Promise<string> {
  const shell = ['bash', '-e', '-o', 'pipefail', '-c', script];
  return run(where === 'your machine' ? shell : asRoot(shell), { cwd: desk });
}

function whoTypes(words: string, command: string, name: string): 'desk' | 'root' | 'user' {
  if (command.includes('ssh-keyscan')) return 'desk';
  const all = [...words.matchAll(new RegExp(`[Aa]s (root|${name})`, 'g'))];
  assert.ok(all.length > 0, `as which user?\n${words}\n${command}`);
  return all.at(-1)?.[1] === 'root' ? 'root' : 'user';
}

async function typeAs(who: 'desk' | 'root' | 'user', script: string, all: Newcomer): Promise<string> {
  if (who === 'user') {
    const identity = [`--reuid=${all.name}`, `--regid=${all.name}`, '--init-groups'];
    return run(asRoot(['setpriv', ...identity, 'bash', '-e', '-c', script]), { env: all.host.env });
  }
  return type(who === 'desk' ? 'your machine' : 'the host, as root', script, all);
}

function runExample(name: string, { host, desk, name: user, ssh }: Newcomer, form = {}): Promise<WorkflowResult> {
  const read = (file: string) => readFileSync(join(desk, file), 'utf8');
  return runWorkflow(`examples/${name}.yml`, {
    environments: {
      prod: {
        secrets: {
          SSH_KEY: read('atlasia_key'),
          KNOWN_HOSTS: read('known_hosts'),
          ...{ HEALTHCHECK_URL: '', AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' },
          ...{ SMTP_URL: '', WEBHOOK_URL: '', WEBHOOK_SECRET: '' },
        },
        vars: {
          DEPLOY_HOST: '127.0.0.1',
          DEPLOY_PORT: String(ssh.port),
          DEPLOY_USER: user,
          BACKUP_KEYS: '',
          MAIL_TO: '',
          MAIL_FROM: '',
          ...{ BACKUP_BUCKET: '', BACKUP_REGION: '', BACKUP_ENDPOINT: '', BACKUP_ROLE: '' },
        },
      },
    },
    instead: {
      '/opt/atlasia': host.deployDir,
      [`\${{ github.actor }}`]: registry.username,
      [`\${{ github.token }}`]: registry.password,
    },
    with: (action) => ({
      history: '',
      'min-free-space': '10MiB',
      ...(action === 'backup' ? {} : { registry: registry.address }),
    }),
    form,
  });
}

const failuresOf = (result: WorkflowResult) =>
  result.steps.filter(({ outcome }) => outcome === 'failure').map(({ name, stdout }) => `${name}:\n${stdout}`);

test('the page, executed line by line, ends with a verified backup', async (t) => {
  const all = await newcomer();
  const began = performance.now();
  assert.equal(
    blocks.length,
    (page.match(/^```/gm)?.length ?? 0) / 2,
    'each block says where it is typed, or why it is not run',
  );
  const printed: string[] = [];
  for (const { isRun, where, script } of blocks) {
    if (!isRun) continue;
    if (script.includes('ssh-keyscan')) {
      await startSsh(all);
      const keys = (await run(['ssh-keyscan', '-p', String(all.ssh.port), '127.0.0.1'])).trim();
      writeFileSync(join(all.desk, 'host_ed25519_key.pub'), `${keys.split(' ').slice(1).join(' ')}\n`);
    }
    printed.push(await type(where, typed(script, all), all));
  }
  const fingerprints = printed.slice(-2).map((text) => /SHA256:\S+/.exec(text)?.[0]);
  assert.equal(fingerprints[0], fingerprints[1]);
  assert.ok(fingerprints[0] !== undefined);

  const setup = await runExample('verify-setup', all, { environment: 'prod' });
  assert.deepEqual(failuresOf(setup), []);
  const backup = await runExample('nightly-backup', all);
  assert.deepEqual(failuresOf(backup), []);
  assert.match(backup.summary, /^## ✅ Backup \d{8}_\d{6} is verified$/m);
  t.diagnostic(`From the first line to the verified backup: ${Math.round((performance.now() - began) / 1000)} s`);
  await all.ssh.stop();
});

test('without the page, the first runs say what to type, and as which user, until a backup is verified', async () => {
  const all = await newcomer();
  const key = await makeKey();
  writeFileSync(join(all.desk, 'atlasia_key'), key.privateKey);
  writeFileSync(join(all.desk, 'known_hosts'), '');
  // Nothing but the user, who has no group, no key, no rights.
  await run(asRoot(['useradd', '--create-home', '--shell', '/bin/bash', all.name]));
  await startSsh(all);
  const lines: string[] = [];
  for (let round = 0; ; round += 1) {
    assert.ok(round < 10, `no end:\n${lines.join('\n')}`);
    const result = await runExample('verify-setup', all, { environment: 'prod' });
    if (failuresOf(result).length === 0) break;
    const [, advice = ''] =
      /^### What to do(?: first: .*)?\n\n([\s\S]*?)(?=\n\[What |\n\||\n###|\nEarlier)/m.exec(result.summary) ?? [];
    assert.ok(advice.trimEnd().endsWith('```'), `it does not end with a line to type:\n${result.summary}`);
    const parts = [...advice.matchAll(/([\s\S]*?)```bash\n([\s\S]*?)\n```/g)];
    let command = '';
    for (const [index, [, words = '', typedLines = '']] of parts.entries()) {
      command = typedLines;
      lines.push(command);
      const who = whoTypes(words, command, all.name);
      const script = command.replaceAll(`~${all.name}`, `/home/${all.name}`);
      // What comes before the last is for looking: it may fail.
      await typeAs(who, script, all).catch((error) => {
        if (index === parts.length - 1) throw error;
      });
    }
    if (command.includes('usermod')) {
      // The port is another one now, and so is the host's key.
      await all.logInAnew();
      writeFileSync(join(all.desk, 'known_hosts'), all.ssh.knownHosts);
    }
  }
  assert.ok(lines.length >= 3, lines.join('\n'));
  const backup = await runExample('nightly-backup', all);
  assert.deepEqual(failuresOf(backup), []);
  await all.ssh.stop();
});
