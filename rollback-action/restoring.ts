import { createHash, randomBytes } from 'node:crypto';
import { askedDatabase, findDatabase } from '../shared/backups/preflight.ts';
import { neededFor } from '../shared/drill/needed.ts';
import { Failure, isFailure } from '../shared/failure.ts';
import type { HistoryRecord } from '../shared/history/record.ts';
import { lockFile } from '../shared/host/backup-folder.ts';
import type { Connection } from '../shared/host/connection.ts';
import type { Survey } from '../shared/host/survey.ts';
import { demandSets } from '../shared/host/survey-sets.ts';
import { pairedSet, targetImages, tellNearly } from '../shared/plan/paired-set.ts';
import type { Plan } from '../shared/plan/plan.ts';
import { startOrder, withRestore } from '../shared/plan/plan-rollback.ts';
import type { Wanted } from '../shared/plan/target.ts';
import { nameWith } from '../shared/postgres/database-name.ts';
import type { DatabaseFacts } from '../shared/postgres/probe.ts';
import type { ComposeProject } from '../shared/releases/project.ts';
import type { RunningImage } from '../shared/releases/release.ts';
import { inContainer, pastedLine } from '../shared/report/in-container.ts';
import { type BackupSource, sourceOf } from '../shared/restore/backup-source.ts';
import { createMissing, dropCreated, type Fate, type Missing } from '../shared/restore/create-missing.ts';
import { givenUp } from '../shared/restore/given-up.ts';
import { discard, type Loaded, load } from '../shared/restore/load.ts';
import { demandNoObstacle, likeLive, type RestoreCase, restoreWarnings } from '../shared/restore/obstacles.ts';
import { connectionLimitIn, type MissingRoles, missingRoles, settingsFor } from '../shared/restore/roles.ts';
import type { Server } from '../shared/restore/server.ts';
import { lookAtServer } from '../shared/restore/standing.ts';
import { writersOf } from '../shared/restore/writers.ts';
import * as log from '../shared/runner/log.ts';
import { type BackupSet, type Catalogue, catalogueOf, verifiedSetsOf } from '../shared/sets/catalogue.ts';
import type { Manifest } from '../shared/sets/manifest.ts';
import { wholeManifest } from '../shared/sets/whole-manifest.ts';
import { type DatabaseExchange, transactionMark } from '../shared/transaction/transaction-files.ts';
import { formatBytes, formatDuration } from '../shared/units.ts';
import type { RollbackInputs } from './inputs.ts';
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

/** What is restored where. */
interface Restorable {
  /** The plan of the rollback, with the restore in it. */
  plan: Plan;
  source: BackupSource;
  manifest: Manifest;
  server: Server;
  /** For commands that people type. */
  containerName: string;
  /** How the databases exchange their names. */
  exchange: DatabaseExchange;
  /** How the restored database is made. */
  madeAs: string;
  roles: MissingRoles;
  /** Statements; null: the restored database gets the settings of the live one. */
  settings: string | null;
  dataFolder: string;
  /** The user's own statements; null if there are none. */
  afterSql: string | null;
  /** The images of the target by which the backup was found; empty if it was named. */
  pairedWith: ReadonlyMap<string, RunningImage>;
  /** Names of services in the order in which they start. */
  order: string[];
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
  const container = findDatabase(seen, { ...inputs, previousBytes: () => null });
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

/** An empty database that this run has created. */
export interface Created {
  server: Server;
  /** For commands that people type. */
  containerName: string;
}

/**
 * A database that was dropped can be restored as well: an empty one is created for the backup to replace.
 * One that an earlier run has created, and was cut off, is taken for ours: it goes again as well if this comes to nothing. Unless
 * somebody works on the host: that may be the run which has created it.
 * @param look surveys the host again; asks this database, or null for the one of the inputs
 * @param run `created` is set before anything else can fail; if it was already, this changes nothing
 * @returns what was seen at last
 * @throws Failure `cannot-restore` if it is missing and cannot be created, or nothing may be changed
 */
export async function createDropped(
  connection: Connection,
  seen: Survey,
  inputs: RollbackInputs,
  look: (database: string | null) => Promise<Survey>,
  run: { created: Created | null; signal: AbortSignal },
): Promise<Survey> {
  if (run.created !== null) return seen;
  const { id, name } = findDatabase(seen, { ...inputs, previousBytes: () => null });
  if (!isRefused(seen)) {
    const { isLeftover, database, user, access } = askedDatabase(seen);
    if (!isLeftover || inputs.planOnly || seen.lockHolder !== null) return seen;
    run.created = { server: { container: id, user, database, access }, containerName: name };
    log.notice(`The database "${database}" is empty: an earlier restore created it and was cut off`);
    return seen;
  }
  // How the server is reached, if it is there at all.
  const other = await look('template1');
  if (isRefused(other)) return seen;
  const { access, user } = askedDatabase(other);
  const server: Server = {
    container: id,
    user: inputs.databaseUser ?? '',
    database: inputs.databaseName ?? '',
    access,
  };
  const mayCreate = !inputs.planOnly;
  const missing = await createMissing(connection, server, { mayCreate, signal: run.signal, onLog: log.host });
  if (missing === null) return seen;
  if (missing.state !== 'created') throw notCreated(missing, user, name);
  run.created = { server: { ...server, database: missing.name }, containerName: name };
  log.notice(`The server had no database "${missing.name}": created an empty one, which the backup replaces`);
  return look(null);
}

function notCreated({ state, name }: Missing, user: string, container: string): Failure {
  if (state === 'missing')
    return new Failure('cannot-restore', `The server has no database "${name}", so there is nothing to plan`, {
      hint: `Nothing was changed. If it was dropped, run this without "plan-only", which creates it; or create it empty: docker exec ${container} createdb. Else correct "db-name"`,
    });
  const [why, remedy] =
    state === 'standby'
      ? ['the server is a standby', 'Restore on the primary: set "host", or "db-service"']
      : [`"${user}" is not a superuser`, 'Set "db-user" to one'];
  return new Failure('cannot-restore', `The server has no database "${name}", and ${why}: it cannot be created`, {
    hint: `Nothing was changed. ${remedy}. If you meant another database, correct "db-name"`,
  });
}

/**
 * After a restore that came to nothing, the database is missing as it was before: an empty one would look as if all were well.
 * @returns the failure, which says so if it is still there
 */
export async function withoutCreated(connection: Connection, created: Created, failure: unknown): Promise<unknown> {
  const { database } = created.server;
  const fate = await dropCreated(connection, created.server, log.host);
  if (fate === 'dropped')
    log.notice(`Dropped the empty database "${database}" again, which was created for this restore`);
  if (fate === 'dropped' || fate === 'gone' || !isFailure(failure)) return failure;
  const left = tellLeft(created, fate);
  return new Failure(failure.code, failure.message, {
    hint: failure.hint === undefined ? left : `${failure.hint}\n${left}`,
    cause: failure.cause,
  });
}

/** Gives the command that drops it only if it was seen to be empty, and nobody is about to fill it. */
function tellLeft({ server, containerName: container }: Created, fate: Exclude<Fate, 'dropped' | 'gone'>): string {
  const { database, user, access } = server;
  const subject = `The database "${database}", created empty for this restore,`;
  switch (fate) {
    case 'not-empty':
      return `${subject} was kept: somebody has changed it since, or restored into it`;
    case 'restoring':
      return `${subject} was kept: a restored copy is waiting to replace it. Let the other restore finish. If there is none, start this one again: it drops what was left`;
    case 'unknown':
      return `${subject} may still be there: the server did not say. The next restore recognizes it, if it is still empty`;
    case 'in-use': {
      const words = ['dropdb', `--username=${user}`, '--maintenance-db=template1', '--', database];
      return `${subject} could not be dropped: it is in use. Once nobody is connected, and if it is still empty, on the host: ${pastedLine([...inContainer({ container, access }), ...words])}`;
    }
  }
}

/** Whether the server, or somebody on the way to it, refused a session. */
function isRefused(seen: Survey): boolean {
  try {
    askedDatabase(seen);
    return false;
  } catch (error) {
    return isFailure(error, 'database-refuses');
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
    warnings.push(`These roles are created, without passwords: ${roles.names.join(', ')}. Give those that log in one`);
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

const imagesOfTarget = ({ seen, plan, wanted, ignored }: RestoreGround): Map<string, RunningImage> =>
  new Map([...targetImages(plan, wanted, ignored)].map(([service, image]) => [service, knownHere(image, seen)]));

/** The backup that belongs to the target. @throws Failure `no-backup` */
function pairedId(
  sets: readonly BackupSet[],
  target: ReadonlyMap<string, RunningImage>,
  database: string,
  { environment }: Inputs,
  { clockAhead }: Survey,
): string {
  const paired = pairedSet({ sets, database, environment, target });
  if (paired.set !== null) return paired.set.id;
  const nearly = tellNearly(paired.nearly, new Date(Date.now() + clockAhead));
  throw new Failure('no-backup', `No backup belongs to the target: ${paired.why}`, {
    hint: [
      'Nothing was changed. Set "restore-database" to the id of a backup, or to none.',
      ...(nearly.length === 0 ? [] : ['These come close:', ...nearly]),
    ].join('\n'),
  });
}

/** A tag that nothing else identifies is taken for what it names on this host; after the pull, `demandPaired` looks again. */
function knownHere(image: RunningImage, { compose }: Survey): RunningImage {
  if (image.digest !== null || image.imageId !== null || compose === null || 'error' in compose) return image;
  const found = compose.images.find(({ repoTags }) => image.image !== null && repoTags.includes(image.image));
  return found === undefined ? image : { ...image, imageId: found.id };
}

function demandPaired({ pairedWith, manifest }: Restorable, { to }: Pick<Plan, 'to'>): void {
  const other = [...pairedWith].find(([service, { imageId }]) => imageId !== null && to[service]?.imageId !== imageId);
  if (other === undefined) return;
  throw new Failure(
    'no-backup',
    `Backup ${manifest.id} does not belong to the target: in the registry, ${other[1].image} is another image by now than on this host`,
    { hint: 'Nothing was stopped. Set "restore-database" to the id of a backup, or "target" to a digest' },
  );
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

async function loadBackup(
  connection: Connection,
  restoring: Restorable,
  inputs: RollbackInputs,
  { holder, signal }: { holder: string; signal: AbortSignal },
): Promise<Loaded> {
  const { manifest, exchange, source } = restoring;
  return log.group(`Restore ${manifest.id} next to the live database`, async () => {
    if (source.isSent) log.info('The dump streams through this runner, which stores none of it');
    const loaded = await load(connection, {
      backupDir: inputs.backupDir,
      server: restoring.server,
      source,
      manifest,
      restored: exchange.restored,
      madeAs: restoring.madeAs,
      roles: restoring.roles.statements,
      settings: restoring.settings,
      afterSql: restoring.afterSql,
      dataFolder: restoring.dataFolder,
      least: inputs.minFreeSpace,
      lock: { path: lockFile(inputs.backupDir), wait: inputs.lockWait, holder },
      timeout: inputs.timeout,
      signal,
      onLog: log.host,
      onProgress: tellLoad,
    });
    for (const { name, result, detail } of loaded.findings) if (result === 'passed') log.info(`✔ ${name}: ${detail}`);
    for (const problem of loaded.problems) log.warning(problem);
    log.success(`Restored as ${exchange.restored} in ${formatDuration(loaded.restoreMs)}; nobody uses it yet`);
    return loaded;
  });
}

const steps: Record<string, string> = {
  checking: 'Comparing what was restored with the manifest',
  'after-sql': 'Running after-restore-sql',
  analyzing: 'Running ANALYZE on the restored database',
};

function tellLoad(name: string, value: string): void {
  if (name === 'restoring') log.progress(`Restoring ${formatBytes(Number(value))}`);
  else if (name === 'waiting-for') log.progress(`Waiting for the lock, held by ${value}`);
  else log.progress(steps[name] ?? name);
}
