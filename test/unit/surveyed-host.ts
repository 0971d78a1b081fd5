import type { Survey } from '../../shared/survey/survey.ts';

const answer = {
  database: 'shop',
  user: 'app',
  serverVersion: '17.1',
  encoding: 'UTF8',
  locale: 'C',
  ctype: 'C',
  localeProvider: 'libc',
  providerLocale: null,
  icuRules: null,
  bootstrapRole: 'app',
  serverSettings: {},
  timezone: 'UTC',
  sizeBytes: 1_000_000,
  isLeftover: false,
  otherDatabases: { count: 0, names: [] },
};
const sorted = { default: null, others: [], partitioned: [] };

/** What a probe prints of a database that answers. */
export const acceptsWith = (changes: Readonly<Record<string, unknown>>, collations: unknown = sorted): string =>
  `accepts ${JSON.stringify({ ...answer, ...changes })}\ncollations ${JSON.stringify(collations)}`;
export const accepts = acceptsWith({});
export const tools = ['zstd', 'gzip', 'awk', 'psql', 'pg_dump', 'pg_restore'].map((tool) => `tool ${tool}\n`).join('');

/** A host with nothing to object to, for tests to change. */
export function host(changes: Partial<Survey> = {}): Survey {
  return {
    clockAhead: 0,
    user: 'deploy',
    bash: '5.2',
    tools: new Set(['docker', 'flock', 'stat', 'df', 'date', 'tee', 'sync', 'sha256sum', 'md5sum', 'gzip']),
    deployDir: '/opt/shop',
    absent: new Set(),
    folders: [folder('/opt/shop/backups')],
    openParent: null,
    places: [],
    unwritable: null,
    freeBytes: 1e12,
    freeInodes: 1e6,
    lockHolder: null,
    sets: { state: '', files: [], othersUnnamed: 0, manifests: new Map(), folderIds: [] },
    docker: { version: '28.0' },
    containers: [container('db'), container('web')],
    images: [],
    updaters: [],
    otherProjects: [],
    candidates: [{ service: 'db', state: 'running', container: 'id-of-db' }],
    compose: null,
    swapFacts: null,
    setup: null,
    history: null,
    auditTrail: null,
    hold: null,
    unfinished: [],
    journalsUnreadable: false,
    probe: { output: `${tools}pg-dump pg_dump (PostgreSQL) 17.1\n${accepts}` },
    ...changes,
  };
}

export function folder(path: string): Survey['folders'][number] {
  return { path, type: 'directory', mode: '700', owner: 'deploy', device: '1', writable: true };
}

function container(service: string): Survey['containers'][number] {
  const common = { project: 'shop', imageId: '', created: '', transaction: '', state: 'running', health: null };
  const compose = { number: '1', healthTest: null };
  const rest = { ...compose, networks: [], exposedPorts: [], volumes: [] };
  return { ...common, ...rest, service, id: `id-of-${service}`, name: `/shop-${service}-1`, image: service };
}
