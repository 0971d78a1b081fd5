// The summaries that the README shows: two of each action, one that is good and one that is not, from runs against the lab.
import { startApplication } from './application.ts';
import type { Host } from './host.ts';
import type { Lab } from './lab.ts';
import type { Registry } from './registry.ts';
import { runAction } from './runner.ts';

/** Summaries by the name of their picture, Markdown; with the names of a host that people could have. */
export async function summariesToShow(lab: Lab, registry: Registry): Promise<Record<string, string>> {
  const app = await startApplication(lab, registry, { name: 'shop' });
  try {
    const { host } = app;
    for (const version of ['v1', 'v2']) await app.publish({ version });
    await app.publish({ version: 'v3', ill: 'health' });
    const env = { GITHUB_WORKFLOW_REF: 'octo-org/shop/.github/workflows/rollback.yml@refs/heads/main' };
    const run = async (action: string, inputs: Record<string, string> = {}) => {
      const { 'min-free-space': reserve = '', 'stable-for': stable = '', ...common } = app.inputs();
      const {
        registry: address = '',
        'registry-username': user = '',
        'registry-password': password = '',
        ...plain
      } = common;
      const given = {
        ...plain,
        environment: 'prod',
        'min-free-space': reserve,
        ...(action === 'backup'
          ? {}
          : { registry: address, 'registry-username': user, 'registry-password': password, 'stable-for': stable }),
        ...inputs,
      };
      return shown((await runAction(action, given, { env })).summary, host, registry);
    };

    const judge = { checks: 'deployment', 'health-timeout': '5s' };
    for (const version of ['v1', 'v2']) {
      await app.deploy(version);
      await app.serves(version);
      await run('verify', judge);
    }
    const pictures: Record<string, string> = {};
    pictures['backup-good'] = await run('backup');
    pictures['verify-good'] = await run('verify', { checks: 'setup,backups,drill' });
    const database = await host.container('db');
    await host.docker('stop', database);
    pictures['backup-bad'] = await run('backup');
    await host.docker('start', database);
    await app.serves('v2');
    await app.deploy('v3');
    pictures['verify-bad'] = await run('verify', judge);
    pictures['rollback-good'] = await run('rollback', { confirm: 'ROLLBACK', reason: 'v3 is never healthy' });
    pictures['rollback-bad'] = await run('rollback', { confirm: 'ROLLBACK', target: 'v9', reason: 'a typing error' });
    return pictures;
  } finally {
    await app.stop();
  }
}

/** With names and paths that people have, instead of the lab's. */
function shown(summary: string, host: Host, registry: Registry): string {
  return summary
    .replaceAll(host.deployDir, '/opt/atlasia')
    .replaceAll(host.project, 'shop')
    .replaceAll(registry.address, 'ghcr.io')
    .replaceAll(`${host.account.name}@127.0.0.1`, 'deploy@db1.example.org')
    .replaceAll(`${host.account.name} at 127.0.0.1`, 'deploy at db1.example.org')
    .replaceAll(host.account.name, 'deploy')
    .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:8080');
}

/** What is left of a summary if all that changes from run to run and from machine to machine is taken out: to compare one with another. */
export function skeletonOf(summary: string): string {
  return summary
    .replaceAll(/ \((?:Debian|Ubuntu) [^)]+\)/g, '')
    .replaceAll(/\b(docker compose|Docker) \d[\w.+~-]*/g, '$1 VERSION')
    .replaceAll(' (this host has no systemd)', '')
    .replaceAll(/\b\d+-\d+-[0-9a-f]{8}\b/g, 'RECORD')
    .replaceAll(/[0-9a-f]{12,64}/g, 'HEX')
    .replaceAll(/\d+(?:\.\d+)? (?:ms|s|min)(?: \d+ s)?\b/g, 'TIME')
    .replaceAll(/\d+(?:\.\d+)? (?:B|KiB|MiB|GiB)\b/g, 'SIZE')
    .replaceAll(/\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b(?= \d)/g, 'DAY')
    .replaceAll(/[─×═━█▉▊▋▌▍▎▏]+/g, 'LINE')
    .replaceAll(/\d+(?:\.\d+)*/g, 'N')
    .replaceAll(/ +/g, ' ');
}
