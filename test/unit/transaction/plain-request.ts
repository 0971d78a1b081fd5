import { readComposeCall } from '../../../shared/survey/compose-call.ts';
import type { TransactionRequest } from '../../../shared/transaction/transaction-files.ts';
import { hex } from '../history/records.ts';

/** What the host is asked to do, for tests to change. */
export const plain: TransactionRequest = {
  startedAt: new Date('2026-11-25T02:03:04Z'),
  backupDir: '/opt/shop/backups',
  deployDir: '/opt/shop',
  project: 'shop',
  compose: readComposeCall(['file docker-compose.yml']),
  database: null,
  projectState: hex('project state'),
  services: [
    {
      service: 'api',
      strategy: 'recreate',
      targetImageId: `sha256:${hex('api')}`,
      retag: 'ghcr.io/acme/api:latest',
      fixedName: 'shop-api',
    },
    { service: 'web', strategy: 'blue-green', targetImageId: `sha256:${hex('web')}`, retag: null, fixedName: null },
  ],
  proxies: ['edge'],
  lookedUpOnce: [{ service: 'api', proxy: 'edge' }],
  override: 'services: {}\n',
  revert: 'services: {a: b}\n',
  inlineFiles: new Map(),
  planJson: '{}\n',
  stopTimeout: 30_000,
  healthTimeout: 300_000,
  stableFor: 10_000,
  maxDowntime: null,
  healthUrl: null,
  onFailure: 'revert',
  blame: true,
  settings: 'current',
  lockWait: 300_000,
  holder: 'rollback-action https://github.com/acme/shop/actions/runs/4711 since 2026-11-25T02:03:04.000Z',
  historyId: '4711-1-0123abcd',
  outcome: {
    token: '0123456789abcdef',
    endings: {
      'rolled-back': { record: '{"a":1}', line: 'a' },
      reverted: { record: '{"b":1}', line: 'b' },
      failed: { record: '{"c":1}', line: 'c' },
    },
    hold: 'reason=x\n',
  },
};
