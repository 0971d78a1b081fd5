import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type BackupNeeds, judgeBackupHost } from '../../shared/backups/preflight.ts';
import { Failure } from '../../shared/failure.ts';
import type { Survey } from '../../shared/survey/survey.ts';
import { accepts, folder, host, tools } from './surveyed-host.ts';

const needs: BackupNeeds = {
  deployDir: '/opt/shop',
  composeFiles: ['docker-compose.yml'],
  envFile: null,
  backupDir: '/opt/shop/backups',
  projectName: null,
  databaseService: null,
  format: 'custom',
  compression: 'auto',
  minFreeSpace: 1_000,
  lockWait: 0,
  encryption: 'none' as const,
  previousBytes: () => null,
};

function refusal(survey: Survey, changes: Partial<BackupNeeds> = {}): Failure {
  try {
    judgeBackupHost(survey, { ...needs, ...changes });
  } catch (error) {
    assert.ok(error instanceof Failure);
    return error;
  }
  return assert.fail('the host was found fit');
}

test('a fit host is told how the backup will be taken', () => {
  const ready = judgeBackupHost(host(), needs);
  assert.equal(ready.database.database, 'shop');
  assert.deepEqual(ready.container, { id: 'id-of-db', name: 'shop-db-1', service: 'db' });
  assert.deepEqual(ready.encoding, { format: 'custom', compression: 'zstd', encryption: 'none' });
  assert.equal(ready.where, 'container');
});

const root = folder('/opt/shop/backups');
const faults: [code: string, survey: Partial<Survey>, hint: RegExp][] = [
  ['no-docker', { tools: new Set([...host().tools].filter((tool) => tool !== 'docker')) }, /Install Docker/],
  ['tools-missing', { tools: new Set(['docker', 'gzip', 'tee']) }, /apt-get install/],
  ['bash-too-old', { bash: '4.2' }, /bash/],
  ['docker-refuses', { docker: { error: 'permission denied' } }, /^On the host, as root: usermod -aG docker deploy$/],
  [
    'docker-refuses',
    { docker: { error: 'Cannot connect to the Docker daemon' } },
    /^On the host, as root: systemctl status docker$/,
  ],
  ['folder-unwritable', { deployDir: '' }, /as root: chgrp "\$\(id -g deploy\)" \S+ && chmod g\+rx /],
  ['clock-skew', { clockAhead: 400_000 }, /set-ntp/],
  ['clock-skew', { clockAhead: -400_000 }, /set-ntp/],
  ['no-deploy-dir', { deployDir: null }, /deploy-dir/],
  ['folder-unwritable', { unwritable: '/opt/shop' }, /install -d -m 0700 -o deploy/],
  ['folder-unusable', { folders: [{ ...root, type: 'regular file' }] }, /another "backup-dir"/],
  ['folder-owner', { folders: [{ ...root, owner: 'root' }] }, /chown -R deploy:/],
  ['folder-owner', { folders: [{ ...root, writable: false }] }, /chown -R deploy:/],
  ['folder-open', { folders: [{ ...root, mode: '755' }] }, /chmod 700/],
  ['folder-open', { folders: [{ ...root, mode: '701' }] }, /chmod 700/],
  ['folder-open', { folders: [{ ...root, mode: '2770' }] }, /chmod 700/],
  ['folder-open', { openParent: '/opt' }, /chmod o-w \/opt$/],
  ['folder-unusable', { places: [{ type: 'fifo', path: '/opt/shop/backups/.lock' }] }, /ls -l \/opt/],
  [
    'folder-unusable',
    { places: [{ type: 'symbolic link', path: '/opt/shop/backups/rollback/transactions' }] },
    /move it away/,
  ],
  [
    'folder-elsewhere',
    { folders: [root, { ...folder('/opt/shop/backups/monthly'), device: '2' }] },
    /Mount that file system at the backup folder/,
  ],
  ['lock-held', { lockHolder: 'somebody' }, /lock-wait/],
  ['no-project', { containers: [], candidates: [], otherProjects: ['blog in /srv/blog'] }, /blog in \/srv\/blog/],
  ['no-database', { candidates: [] }, /db-service/],
  ['several-databases', { candidates: [...host().candidates, ...host().candidates] }, /db-service/],
  ['database-not-running', { candidates: [{ service: 'db', state: 'paused', container: 'c' }] }, /docker unpause/],
  ['database-not-running', { candidates: [{ service: 'db', state: 'exited', container: 'c' }] }, /docker start/],
  ['database-silent', { probe: { error: 'no answer' } }, /docker logs/],
  ['database-silent', { probe: null }, /docker logs/],
  ['database-refuses', { probe: { output: `${tools}refuses FATAL: database "shop" does not exist` } }, /"db-name"/],
  ['no-pg-dump', { probe: { output: `tool psql\n${accepts}` } }, /db-service/],
  ['no-space', { freeBytes: 400_000 }, /df -h/],
  ['no-inodes', { freeInodes: 3 }, /df -i/],
];
describe('a host that is not fit is refused by name, with what to do', () => {
  for (const [code, changes, hint] of faults) {
    test(`${code}: ${JSON.stringify(changes).slice(0, 60)}`, () => {
      const failure = refusal(host(changes));
      assert.equal(failure.code, code);
      assert.match(failure.hint ?? '', hint);
    });
  }

  test('all that is wrong is told at once', () => {
    const failure = refusal(host({ clockAhead: 400_000, freeInodes: 3 }));
    assert.equal(failure.code, 'host-not-ready');
    assert.match(failure.message, /clock.*inodes/);
  });
});

describe('what a backup needs', () => {
  test('comes from the previous one', () => {
    assert.equal(judgeBackupHost(host(), { ...needs, previousBytes: () => 1_000 }).estimate, 1_200);
  });
  test("else from the database's size", () => assert.equal(judgeBackupHost(host(), needs).estimate, 500_000));
  test('is never less than min-free-space', () => {
    const failure = refusal(host({ freeBytes: 5e6 }), { minFreeSpace: 6e6 });
    assert.match(failure.message, /min-free-space/);
  });
  test('inodes that are not counted do not matter', () => {
    judgeBackupHost(host({ freeInodes: null }), needs);
  });
});

describe('the compressor', () => {
  const withoutZstd = { output: `${tools.replace('tool zstd\n', '')}pg-dump pg_dump (PostgreSQL) 17.1\n${accepts}` };
  test("is the host's zstd where the container has none", () => {
    const survey = host({ probe: withoutZstd, tools: new Set([...host().tools, 'zstd']) });
    assert.equal(judgeBackupHost(survey, needs).where, 'host');
  });
  test("is pg_dump's own gzip where there is no zstd", () => {
    const { encoding, where } = judgeBackupHost(host({ probe: withoutZstd }), needs);
    assert.deepEqual([encoding.compression, where], ['gzip', 'container']);
  });
  test('is gzip for plain SQL', () => {
    assert.equal(judgeBackupHost(host(), { ...needs, format: 'plain' }).encoding.compression, 'gzip');
  });
  test('is refused where nobody has it', () => {
    assert.equal(refusal(host({ probe: withoutZstd }), { compression: 'zstd' }).code, 'no-compressor');
  });
});
