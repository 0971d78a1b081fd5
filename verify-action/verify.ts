import { randomBytes } from 'node:crypto';
import { type Catalogue, catalogueOf, type VerifiedSet, verifiedSetsOf } from '../shared/backups/catalogue.ts';
import { drill } from '../shared/backups/drill.ts';
import { checkProject } from '../shared/backups/preflight.ts';
import { addProof, type Proof } from '../shared/backups/proof.ts';
import { readSets } from '../shared/backups/read-sets.ts';
import { Failure } from '../shared/failure.ts';
import { type Book, openBook, storeBook } from '../shared/history/book.ts';
import { appendHistory } from '../shared/history/host-file.ts';
import { type HistoryRecord, recordId } from '../shared/history/record.ts';
import { connect } from '../shared/host/connect.ts';
import type { Connection } from '../shared/host/connection.ts';
import { type Survey, survey } from '../shared/host/survey.ts';
import { type DatabaseFacts, readProbe } from '../shared/postgres/probe.ts';
import { insideScript } from '../shared/postgres/scripts.ts';
import { askRegistry, type RegistryAnswer } from '../shared/releases/ask-registry.ts';
import { checkComposeVersion, noCompose } from '../shared/releases/compose-version.ts';
import { readProject } from '../shared/releases/project.ts';
import type { WorkflowContext } from '../shared/runner/context.ts';
import { type HistoryMirror, historyMirror } from '../shared/runner/history-mirror.ts';
import { diagnoseKey } from '../shared/runner/key-diagnosis.ts';
import * as log from '../shared/runner/log.ts';
import { makePrivateFolder } from '../shared/runner/private-folder.ts';
import type { ActionContext } from '../shared/runner/run.ts';
import { watch } from '../shared/transaction/watch.ts';
import { formatBytes } from '../shared/units.ts';
import { ageOf, judgeBackups, setsToRead } from './backups.ts';
import { deploymentRecord, judgeDeployment } from './deployment.ts';
import { chooseSet, drillRecord, imageFor, judgeDrill, neededFor } from './drill.ts';
import { type Finding, Findings, type Group, type Tally, tallyOf } from './finding.ts';
import type { VerifyInputs } from './inputs.ts';
import type { VerifyOutputs } from './outputs.ts';
import { imagesToAskFor, judgeSetup } from './setup.ts';
import { summarizeVerification, tallyText, tellFindings } from './summary.ts';

/** What one run is about, from its start. */
interface Verification {
  inputs: VerifyInputs;
  workflow: WorkflowContext;
  signal: AbortSignal;
  outputs: VerifyOutputs;
  mirror: HistoryMirror;
  mirrored: ReturnType<HistoryMirror['load']>;
}

/** What all checks look at. */
interface Ground {
  seen: Survey;
  catalogue: Catalogue;
  book: Book;
  copyNotices: string[];
  needsRefresh: boolean;
  /** On the host's clock. */
  now: Date;
}

/** Survey, judge each check, record, tell. */
export async function verify(
  inputs: VerifyInputs,
  workflow: WorkflowContext,
  { signal, outputs, atEnd }: ActionContext<VerifyOutputs>,
): Promise<void> {
  const started = Date.now();
  const { environment, history: kinds, githubToken: token } = inputs;
  const mirror = historyMirror({ environment, kinds, token, workflow });
  const run = { inputs, workflow, signal, outputs, mirror, mirrored: mirror.load() };
  let connection: Connection | undefined;
  const findings: Finding[] = [];
  try {
    try {
      connection = await connect(inputs.ssh, () => {
        const folder = makePrivateFolder();
        atEnd(folder.remove);
        return { folder: folder.path, diagnoseKey, signal };
      });
      await makeChecks(connection, run, findings);
    } catch (error) {
      if (!(error instanceof Failure) || signal.aborted) throw error;
      tellUnmade(error, inputs.checks, findings);
    }
    const tally = tallyOf(findings, inputs.failOn);
    Object.assign(outputs, {
      status: tally.status,
      passed: tally.passed,
      warnings: tally.warnings,
      failed: tally.failed,
      'could-not-check': tally.couldNotCheck,
      results: JSON.stringify(findings),
    });
    const target = connection?.target ?? inputs.ssh?.host ?? 'local';
    await summarizeVerification(findings, tally, inputs, target, Date.now() - started);
    if (tally.status === 'verified') log.success(`${environment} is verified: ${tallyText(tally)}`);
    else throw notVerified(findings, tally, environment);
  } finally {
    await connection?.close();
  }
}

async function makeChecks(connection: Connection, run: Verification, all: Finding[]): Promise<void> {
  const { inputs } = run;
  const ground = await log.group(`Survey of ${connection.target}`, () => look(connection, run));
  const make = async (group: Group, title: string, judge: () => Promise<Findings>) => {
    if (!inputs.checks.includes(group)) return;
    await log.group(title, async () => {
      const { list } = await judge().catch((error) => unmade(error, group, run.signal));
      all.push(...list);
      tellFindings(list);
    });
  };
  await make('setup', 'Set-up: will backups and rollbacks work?', async () =>
    judgeSetup({ ...ground, target: connection.target, registry: await question(connection, ground, run) }, inputs),
  );
  await make('backups', 'Backups: are they there, and whole?', () => checkBackups(connection, ground, run));
  await make('drill', 'Drill: does a backup restore?', () => drillBackup(connection, ground, run));
  await make('deployment', 'Deployment: is it what was deployed, and well?', () =>
    checkDeployment(connection, ground, run),
  );
}

/** What has stopped a group of checks half-way: none of it has passed. */
function unmade(error: unknown, group: Group, signal: AbortSignal): Findings {
  if (!(error instanceof Failure) || signal.aborted) throw error;
  const findings = new Findings(group);
  findings.unable(group, error.message, error.hint ?? null);
  return findings;
}

/** Without the host there is nothing to look at. */
function tellUnmade(error: Failure, groups: readonly Group[], all: Finding[]): void {
  const setup = new Findings('setup');
  setup.check('connection', () => {
    throw error;
  });
  const others = groups
    .filter((group) => group !== 'setup' || all.length > 0)
    .map((group) => {
      const findings = new Findings(group);
      findings.unable(group, 'the host could not be looked at', null);
      return findings;
    });
  const list = [setup, ...others].flatMap((findings) => findings.list);
  all.push(...list);
  tellFindings(list);
}

async function look(connection: Connection, { inputs, signal, mirrored }: Verification): Promise<Ground> {
  const asks = (...groups: Group[]) => groups.some((group) => inputs.checks.includes(group));
  const seen = await survey(
    connection,
    {
      deployDir: inputs.deployDir,
      backupDir: inputs.backupDir,
      projectName: inputs.projectName ?? '',
      databaseService: inputs.databaseService ?? '',
      databaseUser: inputs.databaseUser ?? '',
      databaseName: inputs.databaseName ?? '',
      probe: insideScript(),
      // What only some groups look at takes its time.
      compose: asks('setup', 'deployment') ? { files: inputs.composeFiles, envFile: inputs.envFile } : null,
      setup: asks('setup'),
    },
    signal,
    log.host,
  );
  const { texts, notices, needsRefresh } = await mirrored;
  return {
    seen,
    catalogue: catalogueOf(seen.files, seen.manifests),
    book: openBook(inputs.environment, seen.history, seen.auditTrail, texts),
    copyNotices: notices,
    needsRefresh,
    now: new Date(Date.now() + seen.clockAhead),
  };
}

/** Asked only where there is a login to try, or an image that the host does not have. */
async function question(
  connection: Connection,
  ground: Ground,
  { inputs, signal }: Verification,
): Promise<RegistryAnswer | null> {
  const references = imagesToAskFor(ground, inputs);
  if ('error' in ground.seen.docker || (inputs.login === null && references.length === 0)) return null;
  const { registry, login } = inputs;
  try {
    return await askRegistry(connection, { registry, login, references, signal, onLog: log.host });
  } catch (error) {
    if (!(error instanceof Failure) || signal.aborted) throw error;
    log.info(`The registry could not be asked: ${error.message}`);
    return null;
  }
}

async function checkBackups(connection: Connection, ground: Ground, run: Verification): Promise<Findings> {
  const { inputs, outputs, signal } = run;
  const { catalogue, now } = ground;
  const database = databaseOf(ground, inputs);
  if (database === null) {
    const findings = new Findings('backups');
    findings.unable(
      'newest',
      'which database is meant is not known: it does not answer, and no backup is there',
      'Give "db-name"',
    );
    return findings;
  }
  const verified = verifiedSetsOf(database, catalogue.sets);
  const [newest] = verified;
  outputs['newest-backup-id'] = newest?.id ?? null;
  outputs['newest-backup-age'] = newest === undefined ? null : Math.max(0, Math.round(ageOf(newest, now) / 1_000));
  return judgeBackups({
    database,
    catalogue,
    readings: await readNewest(connection, verified, inputs, signal),
    backupDir: inputs.backupDir,
    maxAge: inputs.maxBackupAge,
    timezone: inputs.timezone,
    now,
  });
}

/** The backups are looked at also where the database is lost: then above all. */
function databaseOf({ seen, catalogue }: Ground, { databaseName }: VerifyInputs): string | null {
  const newest = catalogue.sets.find((set) => set.state === 'verified')?.database ?? null;
  return factsOf(seen)?.database ?? databaseName ?? newest;
}

/** null where the database does not answer. */
function factsOf({ probe }: Survey): DatabaseFacts | null {
  if (probe === null || 'error' in probe) return null;
  try {
    return readProbe(probe.output);
  } catch (error) {
    if (error instanceof Failure) return null;
    throw error;
  }
}

async function readNewest(
  connection: Connection,
  verified: readonly VerifiedSet[],
  { backupDir, timeout }: VerifyInputs,
  signal: AbortSignal,
): Promise<Parameters<typeof judgeBackups>[0]['readings']> {
  try {
    return await readSets(connection, {
      backupDir,
      sets: verified.slice(0, setsToRead),
      timeout,
      signal,
      onLog: log.host,
      onSet: (path) => log.progress(`Reading ${path}`),
    });
  } catch (error) {
    if (!(error instanceof Failure) || signal.aborted) throw error;
    return { why: error.message, remedy: error.hint ?? null };
  }
}

/** Restores a backup for real, and keeps what that has proven beside the backup and in the history. */
async function drillBackup(connection: Connection, ground: Ground, run: Verification): Promise<Findings> {
  const { inputs, outputs, signal, workflow } = run;
  const { seen, catalogue } = ground;
  const database = databaseOf(ground, inputs);
  const set = database === null ? null : chooseSet(inputs.drillBackup, database, catalogue.sets);
  if (set === null) throw noBackup(inputs, database);
  const facts = factsOf(seen);
  const container = seen.containers.find(({ id }) => id === seen.candidates[0]?.container);
  const image = imageFor(
    set.manifest,
    facts === null || container === undefined ? null : { imageId: container.imageId, facts },
  );
  const needed = neededFor(set.manifest, facts?.sizeBytes ?? null) + inputs.minFreeSpace;
  log.info(
    `${set.id}: ${formatBytes(set.manifest.sizeBytes)}; it needs at most ${formatBytes(needed)} on the disk of Docker`,
  );
  const outcome = await drill(connection, {
    backupDir: inputs.backupDir,
    set,
    image,
    token: randomBytes(4).toString('hex'),
    memory: inputs.drillMemory,
    neededBytes: needed,
    timezone: facts?.timezone ?? '',
    statements: inputs.drillStatements,
    timeout: inputs.timeout,
    signal,
    onLog: log.host,
    onProgress: tellDrill,
  });
  outputs['drill-duration-ms'] = outcome.fault === null ? outcome.restoreMs : null;
  const findings = judgeDrill({
    set,
    outcome,
    pgDumpVersion: image === container?.imageId ? (facts?.pgDumpVersion ?? null) : null,
    statements: inputs.drillStatements,
  });
  const { status } = tallyOf(findings.list, 'error');
  const proof: Proof = {
    at: new Date().toISOString(),
    what: 'drill',
    result: status === 'verified' ? 'passed' : status === 'failed' ? 'failed' : 'could-not-check',
    checks: Object.fromEntries(findings.list.map(({ name, result }) => [name, result])),
    restoreMs: outputs['drill-duration-ms'],
    image,
    runUrl: workflow.runUrl,
  };
  const holder = `verify-action ${workflow.runUrl ?? 'without a workflow'} since ${new Date().toISOString()} (${randomBytes(4).toString('hex')})`;
  await addProof(connection, set, proof, {
    backupDir: inputs.backupDir,
    lock: { path: `${inputs.backupDir}/.lock`, wait: inputs.lockWait, holder },
    onLog: log.host,
  });
  await keep(connection, drillRecord(set.manifest, proof, circumstancesOf(run)), ground, run);
  return findings;
}

function tellDrill(name: string, value: string): void {
  if (name === 'room') log.progress(`${formatBytes(Number(value))} are free on the disk of Docker`);
  else if (name === 'restoring') log.progress(`Restoring ${formatBytes(Number(value))}`);
  else log.progress('Reading what came back');
}

function noBackup({ drillBackup, backupDir }: VerifyInputs, database: string | null): Failure {
  const which = drillBackup === 'latest' ? 'verified backup' : `verified backup ${drillBackup}`;
  return new Failure(
    'no-backup',
    `There is no ${which} of ${database === null ? 'any database' : `"${database}"`} in ${backupDir}`,
    {
      hint: 'Run backup-action, or name another one as "drill-backup"',
    },
  );
}

async function checkDeployment(connection: Connection, ground: Ground, run: Verification): Promise<Findings> {
  const { inputs, signal } = run;
  const { seen, book } = ground;
  const { compose } = seen;
  if (compose === null || 'error' in compose) return noCompose(compose?.error ?? '');
  checkComposeVersion(compose.version);
  const project = readProject(compose.config, compose.template);
  checkProject(seen, inputs);
  log.progress('Waiting until all is healthy, and then for "stable-for"');
  const watched = await watch(connection, {
    project: seen.containers[0]?.project ?? project.name,
    healthTimeout: inputs.healthTimeout,
    stableFor: inputs.stableFor,
    healthUrl: inputs.healthUrl,
    signal,
    onLog: log.host,
  });
  const judged = judgeDeployment({
    ...inputs,
    project,
    watched,
    images: compose.images,
    databases: new Set([...seen.candidates.map(({ service }) => service), inputs.databaseService ?? '']),
    history: book.host,
  });
  const record = deploymentRecord(judged, circumstancesOf(run), book.host);
  await keep(connection, record, ground, run);
  return judged.findings;
}

function circumstancesOf({ inputs, workflow }: Verification): Parameters<typeof deploymentRecord>[1] {
  const { runId, runAttempt, actor, runUrl, commit } = workflow;
  return {
    id: recordId(runId, runAttempt, randomBytes(4).toString('hex')),
    at: new Date(),
    environment: inputs.environment,
    schemaSha256: null,
    backupId: null,
    actor,
    runUrl,
    commit,
    reason: null,
  };
}

/** On the host, and off it: what goes wrong with the copies is told, and fails nothing. */
async function keep(
  connection: Connection,
  record: HistoryRecord,
  ground: Ground,
  { inputs, outputs, mirror }: Verification,
): Promise<void> {
  const { book } = ground;
  await appendHistory(connection, {
    backupDir: inputs.backupDir,
    records: [...book.missing, record],
    onLog: log.host,
  });
  outputs['history-id'] = record.id;
  ground.book = { ...book, host: [...book.missing, ...book.host, record], missing: [] };
  log.info(`In the history: ${record.event} ${record.status}, the release ${record.verdict} (${record.id})`);
  if (inputs.history.length === 0) return;
  for (const notice of await storeBook(ground.book, [], mirror)) log.notice(notice);
}

/** The worst of it in one line, with what to do about the first. */
function notVerified(findings: readonly Finding[], tally: Tally, environment: string): Failure {
  const isFailed = tally.status === 'failed';
  const worst = findings.filter(({ result, severity }) =>
    isFailed ? result === 'failed' && (tally.failed === 0 || severity === 'error') : result === 'could-not-check',
  );
  const named = worst.slice(0, 3).map(({ name, detail }) => `${name}: ${detail}`);
  const rest = worst.length > named.length ? `; and ${worst.length - named.length} more` : '';
  const what = `${named.join('; ')}${rest} (${tallyText(tally)})`;
  const hint = worst.find(({ remedy }) => remedy !== null)?.remedy ?? 'See the table above';
  return isFailed
    ? new Failure('verification-failed', `${environment} failed its verification. ${what}`, { hint })
    : new Failure('could-not-verify', `${environment} could not be verified. ${what}`, { hint });
}
