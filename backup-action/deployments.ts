import { isFailure } from '../shared/failure.ts';
import { describeHold, onHold, parseHold } from '../shared/history/hold.ts';
import { releaseHold } from '../shared/history/host-file.ts';
import {
  copiesLack,
  gatherHistory,
  type HistoryMirror,
  type KnownHistory,
  storeCopies,
} from '../shared/history/known-history.ts';
import { observationOf, observed, runFacts } from '../shared/history/observation.ts';
import type { HistoryRecord } from '../shared/history/record.ts';
import type { Connection } from '../shared/host/connection.ts';
import { keepImages, keptImages, losingTheirName } from '../shared/releases/keep-images.ts';
import { releaseOf } from '../shared/releases/release.ts';
import type { WorkflowContext } from '../shared/runner/context.ts';
import { historyMirror } from '../shared/runner/history-mirror.ts';
import * as log from '../shared/runner/log.ts';
import type { Manifest } from '../shared/sets/manifest.ts';
import type { Survey } from '../shared/survey/survey.ts';
import { demandJournals, endUnfinished } from '../shared/transaction/unfinished.ts';
import type { BackupInputs } from './inputs.ts';

/** What a backup does for deployments: it records what runs, and stops a deployment that would undo a rollback. */
export class Deployments {
  readonly #inputs: BackupInputs;
  readonly #workflow: WorkflowContext;
  readonly #mirror: HistoryMirror;
  readonly #mirrored: ReturnType<HistoryMirror['load']>;
  #knownHistory: KnownHistory | undefined;
  readonly #added: HistoryRecord[] = [];
  #seen: Survey | undefined;

  constructor(inputs: BackupInputs, workflow: WorkflowContext) {
    this.#inputs = inputs;
    this.#workflow = workflow;
    const { environment, history: kinds, githubToken: token } = inputs;
    this.#mirror = historyMirror({ environment, kinds, token, workflow });
    // Started now and awaited later: GitHub may be slow.
    this.#mirrored = this.#mirror.load();
  }

  /**
   * Finishes a rollback that was interrupted. It may put deployments on hold.
   * @returns whether there was one: the host must then be surveyed again
   * @throws Failure `survey-incomplete` before a deployment, if there may be one that cannot be seen
   */
  async finishRollback(connection: Connection, seen: Survey, signal: AbortSignal): Promise<boolean> {
    if (this.#inputs.kind === 'predeployment') demandJournals(seen, this.#inputs.backupDir);
    else if (seen.journalsUnreadable) log.warning('Cannot read the journals of all rollbacks: one may be unfinished');
    if (seen.unfinished.length === 0 || seen.lockHolder !== null) return false;
    const { backupDir, timeout } = this.#inputs;
    await endUnfinished(connection, backupDir, seen.unfinished, { deadline: timeout, signal }, log);
    return true;
  }

  /**
   * Releases the hold on deployments if asked to; otherwise stops a backup for a deployment that would undo a rollback.
   * A rollback may set HOLD until this backup has the lock, so the host looks once more then.
   * @throws Failure `on-hold`
   */
  async judgeHold(connection: Connection, seen: Survey): Promise<void> {
    const { backupDir, kind, environment } = this.#inputs;
    this.#open(seen, await this.#mirrored);
    this.#seen = seen;
    if (seen.hold === null) return;
    const hold = parseHold(seen.hold);
    if (this.#inputs.releaseHold) {
      const facts = runFacts(environment, this.#workflow, { reason: 'HOLD released' });
      const record = observed(releaseOf(seen.containers, seen.images), facts, null);
      await releaseHold(connection, { backupDir, records: [record], onLog: log.host });
      this.#added.push(record);
      log.important('Released the hold on deployments that a rollback had set; deployments may go on');
    } else if (kind === 'predeployment') {
      throw onHold(describeHold(hold), backupDir);
    } else {
      log.notice(`After a rollback, ${describeHold(hold)}`);
    }
  }

  /** The records that this backup adds to the history: none if the history already has this release. */
  recordsOf(manifest: Manifest): HistoryRecord[] {
    const knownHistory = this.#knownHistory;
    if (knownHistory === undefined) return [];
    const seen = runFacts(this.#inputs.environment, this.#workflow, {
      schemaSha256: manifest.schemaSha256,
      backupId: manifest.id,
    });
    const { record, isNew } = observationOf(manifest.release, seen, [
      ...knownHistory.missing,
      ...knownHistory.host,
      ...this.#added,
    ]);
    this.historyId = record.id;
    const records = isNew ? [record] : [];
    this.#added.push(...records);
    return [...knownHistory.missing, ...records];
  }

  /** Id of the history record for this release. */
  historyId: string | null = null;

  /**
   * Before a deployment, protects the images that would lose their name by it: they are what a rollback needs, and the
   * registry may be away by then. A problem with that becomes a warning.
   */
  async keepImages(connection: Connection): Promise<void> {
    const { kind, backupDir } = this.#inputs;
    if (kind !== 'predeployment' || this.#seen === undefined) return;
    const losing = losingTheirName(releaseOf(this.#seen.containers, this.#seen.images));
    const known = [...(this.#knownHistory?.host ?? []), ...this.#added].map(({ release }) => release);
    try {
      const lost = await keepImages(connection, keptImages(backupDir, losing, known), log.host);
      for (const id of lost) log.warning(`Could not protect the image ${id} from docker image prune`);
    } catch (error) {
      if (!isFailure(error) || error.code === 'cancelled') throw error;
      log.warning(`Could not protect the running images from docker image prune: ${error.message}`);
    }
  }

  /** Stores the history off the host. A problem with that becomes a notice; it does not fail the run. */
  async store(): Promise<void> {
    if (this.#knownHistory === undefined || this.#inputs.history.length === 0) return;
    if (!copiesLack(this.#knownHistory, this.#added) && !(await this.#mirrored).needsRefresh) return;
    for (const notice of await storeCopies(this.#knownHistory, this.#added, this.#mirror)) log.notice(notice);
  }

  #open(seen: Survey, { texts, notices }: { texts: string[]; notices: string[] }): void {
    if (this.#knownHistory === undefined) for (const notice of notices) log.notice(notice);
    this.#knownHistory = gatherHistory(this.#inputs.environment, seen.history, seen.auditTrail, texts);
    for (const problem of this.#knownHistory.problems) log.notice(problem);
  }
}
