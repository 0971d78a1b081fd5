import { Failure } from '../shared/failure.ts';
import { parseHold, tellHold } from '../shared/history/hold.ts';
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
import { holdFile } from '../shared/host/backup-folder.ts';
import type { Connection } from '../shared/host/connection.ts';
import type { Survey } from '../shared/host/survey.ts';
import { releaseOf } from '../shared/releases/release.ts';
import type { WorkflowContext } from '../shared/runner/context.ts';
import { historyMirror } from '../shared/runner/history-mirror.ts';
import * as log from '../shared/runner/log.ts';
import type { Manifest } from '../shared/sets/manifest.ts';
import { quoteForShell } from '../shared/shell-quote.ts';
import { endUnfinished } from '../shared/transaction/unfinished.ts';
import type { BackupInputs } from './inputs.ts';

/** What a backup does for deployments: it records what runs, and stops a deployment that would undo a rollback. */
export class Deployments {
  readonly #inputs: BackupInputs;
  readonly #workflow: WorkflowContext;
  readonly #mirror: HistoryMirror;
  readonly #mirrored: ReturnType<HistoryMirror['load']>;
  #knownHistory: KnownHistory | undefined;
  readonly #added: HistoryRecord[] = [];

  constructor(inputs: BackupInputs, workflow: WorkflowContext) {
    this.#inputs = inputs;
    this.#workflow = workflow;
    const { environment, history: kinds, githubToken: token } = inputs;
    this.#mirror = historyMirror({ environment, kinds, token, workflow });
    // Started now and awaited later: GitHub may be slow.
    this.#mirrored = this.#mirror.load();
  }

  /**
   * Finishes a rollback that was interrupted, and checks whether a deployment may follow.
   * @returns whether this changed anything on the host, so that it must be surveyed again
   * @throws Failure `on-hold`
   */
  async clear(connection: Connection, seen: Survey, signal: AbortSignal): Promise<boolean> {
    const { backupDir, kind } = this.#inputs;
    this.#open(seen, await this.#mirrored);
    if (seen.unfinished.length > 0 && seen.lockHolder === null) {
      await endUnfinished(connection, backupDir, seen.unfinished, { deadline: this.#inputs.timeout, signal }, log);
      return true;
    }
    if (seen.hold === null) return false;
    const hold = parseHold(seen.hold);
    if (this.#inputs.releaseHold) {
      const facts = runFacts(this.#inputs.environment, this.#workflow, { reason: 'HOLD released' });
      const record = observed(releaseOf(seen.containers, seen.images), facts, null);
      await releaseHold(connection, { backupDir, records: [record], onLog: log.host });
      this.#added.push(record);
      log.important('Released the hold on deployments that a rollback had set; deployments may go on');
      return true;
    }
    if (kind === 'predeployment') throw onHold(tellHold(hold), backupDir);
    log.notice(`After a rollback, ${tellHold(hold)}`);
    return false;
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

function onHold(why: string, backupDir: string): Failure {
  return new Failure('on-hold', `No backup for a deployment: ${why}`, {
    hint: `A deployment would undo the rollback. Once its cause is fixed, set release-hold: true, or on the host: rm ${quoteForShell(holdFile(backupDir))}`,
  });
}
