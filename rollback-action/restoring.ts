import { createHash, randomBytes } from 'node:crypto';
import { askedDatabase, findDatabase } from '../shared/backups/find-database.ts';
import { neededFor } from '../shared/drill/needed.ts';
import type { HistoryRecord } from '../shared/history/record.ts';
import type { Connection } from '../shared/host/connection.ts';
import type { Plan } from '../shared/plan/plan.ts';
import { startOrder, withRestore } from '../shared/plan/plan-rollback.ts';
import type { Wanted } from '../shared/plan/wanted-release.ts';
import { nameWith } from '../shared/postgres/database-name.ts';
import type { DatabaseFacts } from '../shared/postgres/probe.ts';
import type { ComposeProject } from '../shared/releases/project.ts';
import type { RunningImage } from '../shared/releases/release.ts';
import { type BackupSource, sourceOf } from '../shared/restore/backup-source.ts';
import { givenUp } from '../shared/restore/given-up.ts';
import { discard, type Loaded } from '../shared/restore/load.ts';
import { demandNoObstacle, likeLive, type RestoreCase, restoreWarnings } from '../shared/restore/obstacles.ts';
import { connectionLimitIn, missingRoles, settingsFor } from '../shared/restore/roles.ts';
import type { Server } from '../shared/restore/server.ts';
import { lookAtServer } from '../shared/restore/standing.ts';
import { writersOf } from '../shared/restore/writers.ts';
import * as log from '../shared/runner/log.ts';
import { type BackupSet, type Catalogue, catalogueOf, verifiedSetsOf } from '../shared/sets/catalogue.ts';
import type { Manifest } from '../shared/sets/manifest.ts';
import { wholeManifest } from '../shared/sets/whole-manifest.ts';
import type { Survey } from '../shared/survey/survey.ts';
import { demandSets } from '../shared/survey/survey-sets.ts';
import { transactionMark } from '../shared/transaction/transaction-files.ts';
import { formatBytes, formatDuration } from '../shared/units.ts';
import type { RollbackInputs } from './inputs.ts';
import { loadBackup } from './load-backup.ts';
import { demandPaired, imagesOfTarget, pairedId } from './paired-backup.ts';
import type { Restorable } from './restorable.ts';
import type { RestoreInputs } from './restore-inputs.ts';

/** A restore that could be carried out now. */
export interface Restoring extends Restorable {
  /**
   * Refuses if the pull has brought another image than the one by which the backup was chosen.
   * @throws Failure `no-backup`
   */
  demandPaired(settled: Pick<Plan, 'to'>): void;
  /** Restores the backup next to the live database. */
  load(connection: Connection, run: { holder: string; signal: AbortSignal }): Promise<Loaded>;
  /** Drops the restored copy, if it did not become the live database. */
  drop(connection: Connection): Promise<void>;
}

/** What was decided so far, and by what. */
export interface RestoreGround {
  seen: Survey;
  plan: Plan;
  wanted: Wanted;
  ignored: ReadonlySet<string>;
  project: ComposeProject;
  databases: ReadonlySet<string>;
  /** The history on the host. */
  records: readonly HistoryRecord[];
}

type Inputs = RollbackInputs & { restore: RestoreInputs };

/**
 * Finds the backup and looks at the server. Changes nothing.
 * @throws Failure `no-backup`, `cannot-restore`, `decrypt-key-missing`, …
 */
export async function planRestore(
  connection: Connection,
  ground: RestoreGround,
  inputs: Inputs,
  signal: AbortSignal,
): Promise<Restoring> {
  const { seen } = ground;
  const { restore, backupDir, environment, timeout } = inputs;
  const container = findDatabase(seen, inputs);
  const live = askedDatabase(seen);
  const server: Server = { container: container.id, user: live.user, database: live.database, access: live.access };
  const catalogue = knownSets(seen);
  const isPaired = restore.wanted === 'paired';
  const pairedWith = isPaired ? imagesOfTarget(ground) : new Map<string, RunningImage>();
  const wanted = isPaired
    ? (sets: readonly BackupSet[]) => pairedId(sets, pairedWith, live.database, inputs, seen)
    : restore.wanted;
  const source = await sourceOf(connection, catalogue, {
    wanted,
    from: restore.from,
    bucket: restore.bucket,
    // Whoever restores names the backup, and may have lost the host that it was taken on.
    folderIds: [],
    environment: restore.environment ?? environment,
    backupDir,
    database: null,
    decryptKey: restore.decryptKey,
    input: 'restore-database',
    timeout,
    signal,
    log,
  });
  try {
    const restorable = await planFrom(
      connection,
      ground,
      inputs,
      source,
      { server, live, catalogue, pairedWith, containerName: container.name, databaseService: container.service },
      signal,
    );
    return {
      ...restorable,
      demandPaired: (settled) => demandPaired(restorable, settled),
      load: (current, run) => loadBackup(current, restorable, inputs, run),
      drop: async (current) => {
        await discard(current, server, restorable.exchange.restored, log.host);
      },
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Where the backup goes, and by what it was chosen. */
interface Place {
  server: Server;
  live: DatabaseFacts;
  containerName: string;
  databaseService: string;
  catalogue: Catalogue;
  pairedWith: Restorable['pairedWith'];
}

async function planFrom(
  connection: Connection,
  { seen, plan, project, databases, records }: RestoreGround,
  { restore, backupDir, minFreeSpace }: Inputs,
  source: BackupSource,
  { server, live, containerName, databaseService, catalogue, pairedWith }: Place,
  signal: AbortSignal,
): Promise<Restorable> {
  const manifest = await source.manifest();
  const ids = seen.containers.map(({ id }) => id);
  const standing = await lookAtServer(connection, server, ids, { signal, onLog: log.host });
  const needed = neededFor(manifest, manifest.database === live.database ? live.sizeBytes : null);
  const subject: RestoreCase = { manifest, live, standing, needed, least: minFreeSpace };
  demandNoObstacle(subject);
  const roles = missingRoles(await source.beside('globals'), standing.roles);
  const restored = nameWith(live.database, `_restore_${randomBytes(4).toString('hex')}`);
  const own = standing.isEmpty ? await source.beside('settings') : null;
  const settings = own === null ? null : settingsFor(own, manifest.database, restored);
  const newest = verifiedSetsOf(live.database, catalogue.sets)[0] ?? null;
  const later =
    newest === null || newest.id <= manifest.id
      ? null
      : await wholeManifest(connection, backupDir, newest, { signal, onLog: log.host });
  const costs = [
    `The dump has ${formatBytes(manifest.sizeBytes)}; the copy next to the live database needs about ${formatBytes(needed)} of the ${formatBytes(standing.freeBytes ?? 0)} that are free`,
    ...timeOf(records, manifest),
  ];
  const { compose } = seen;
  const restarted = writersOf({
    project,
    containers: seen.containers,
    settings: compose === null || 'error' in compose ? [] : compose.settings,
    databaseService,
    untouched: databases,
    swapped: new Set(plan.services.map(({ service }) => service)),
    standing,
  });
  const warnings = restoreWarnings(subject, live.database);
  if (roles.names.length > 0)
    warnings.push(
      `These roles are created, without passwords: ${roles.names.join(', ')}. Set one for each role that logs in: ALTER ROLE name PASSWORD '…'`,
    );
  return {
    plan: withRestore(
      plan,
      {
        backupId: manifest.id,
        sha256: manifest.sha256,
        copy: source.copy,
        takenAt: manifest.startedAt,
        source: manifest.database,
        database: live.database,
        afterSqlSha256: restore.afterSql === null ? null : createHash('sha256').update(restore.afterSql).digest('hex'),
        restarted,
        costs,
        givenUp: givenUp(manifest, later, new Date(Date.now() + seen.clockAhead)),
      },
      warnings.map((text) => ({ level: 'warning', text })),
    ),
    source,
    manifest,
    server,
    containerName,
    exchange: {
      container: server.container,
      user: server.user,
      access: server.access,
      name: live.database,
      connectionLimit: standing.connectionLimit,
      restoredLimit: settings === null ? standing.connectionLimit : connectionLimitIn(settings, restored),
      restored,
      aside: nameWith(live.database, `_before_${'0'.repeat(15)}`).replace(/0{15}$/, transactionMark),
    },
    madeAs: likeLive(subject),
    roles,
    settings,
    dataFolder: standing.dataFolder,
    afterSql: restore.afterSql,
    pairedWith,
    order: startOrder(project),
  };
}

/** Those on the host; a host that has lost its backups can still restore from a bucket. */
function knownSets(seen: Survey): Catalogue {
  const { files, manifests } = demandSets(seen.sets);
  return catalogueOf(files, manifests);
}

/** How long it took in the last drill. */
function timeOf(records: readonly HistoryRecord[], { id }: Manifest): string[] {
  const drills = records.filter(
    ({ event, status, durationMs }) => event === 'drill' && status === 'succeeded' && durationMs !== null,
  );
  const drill = drills.findLast(({ backupId }) => backupId === id) ?? drills.at(-1);
  if (drill === undefined) return ['How long the restore takes is unknown: no backup has been drilled'];
  return [`In a drill, backup ${drill.backupId} was restored in ${formatDuration(drill.durationMs ?? 0)}`];
}
