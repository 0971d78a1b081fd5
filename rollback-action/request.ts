import { auditLine } from '../shared/history/audit-line.ts';
import { type Hold, holdText } from '../shared/history/hold.ts';
import { type HistoryRecord, historyLine, longestReason } from '../shared/history/record.ts';
import { overrideYaml, revertYaml } from '../shared/plan/override.ts';
import type { Plan, ServiceStep } from '../shared/plan/plan.ts';
import type { RestoreStep } from '../shared/plan/restore-step.ts';
import { supportsReset } from '../shared/releases/compose-version.ts';
import { referenceOf } from '../shared/releases/image-reference.ts';
import { inlineFiles, tarOf } from '../shared/releases/inline-files.ts';
import { networksOf } from '../shared/releases/project.ts';
import type { PulledImage } from '../shared/releases/pull.ts';
import type { Release } from '../shared/releases/release.ts';
import type { WorkflowContext } from '../shared/runner/context.ts';
import {
  type OutcomeTexts,
  outcomeMarks,
  type TransactionRequest,
  type TransactionService,
  transactionMark,
} from '../shared/transaction/transaction-files.ts';
import type { ComposeSource } from './compose-source.ts';
import type { RollbackInputs } from './inputs.ts';
import type { Restoring } from './restoring.ts';

/** Everything that is known just before the transaction starts. */
export interface Decided {
  inputs: RollbackInputs;
  workflow: WorkflowContext;
  plan: Plan;
  compose: ComposeSource;
  /** By service. */
  images: ReadonlyMap<string, PulledImage>;
  /** null: the database is left alone. */
  restoring: Restoring | null;
  backupId: string | null;
  schemaSha256: string | null;
  startedAt: Date;
  holder: string;
  historyId: string;
  /** Random, so that it occurs nowhere in the texts. */
  token: string;
}

/** The plan with the ids and digests of the pulled images. Services that already run the target are left out. */
export function settledPlan(plan: Plan, images: ReadonlyMap<string, PulledImage>): Plan {
  const services = plan.services
    .map((step): ServiceStep => {
      const image = images.get(step.service);
      if (image === undefined) return step;
      const { toImage } = step;
      const digest = toImage.digest ?? digestIn(image, toImage.image);
      const name = (toImage.image ?? '').split('@')[0];
      return {
        ...step,
        toImage: {
          ...toImage,
          imageId: image.id,
          digest,
          image: digest === null ? toImage.image : `${name}@${digest}`,
        },
      };
    })
    .filter(({ mixed, fromImage, toImage }) => mixed || fromImage.imageId !== toImage.imageId);
  const to: Release = {
    ...plan.from,
    ...Object.fromEntries(services.map(({ service, toImage }) => [service, toImage])),
  };
  return { ...plan, services, to, restore: settledRestore(plan, services) };
}

/** What turned out to run the target already is not swapped, but still has to stop while the databases exchange their names. */
function settledRestore({ services, restore }: Plan, swapped: readonly ServiceStep[]): RestoreStep | null {
  if (restore === null) return null;
  const spared = services.filter(({ service }) => !swapped.some((step) => step.service === service));
  const restarted = spared
    .filter(({ strategy }) => strategy === 'recreate')
    .map(({ service, fromImage }) => ({
      service,
      imageId: fromImage.imageId ?? '',
      why: 'it already runs the target',
    }));
  return { ...restore, restarted: [...restore.restarted, ...restarted] };
}

/** The digest in the reference's own repository. Docker uses short names for repositories on Docker Hub. */
function digestIn({ repoDigests }: PulledImage, reference: string | null): string | null {
  const repository = referenceOf(reference)?.repository;
  const own = repoDigests.map(referenceOf).find((name) => name !== null && name.repository === repository);
  return own?.digest ?? null;
}

/** Everything the host needs to carry out the plan without us. */
export function transactionRequest(decided: Decided): TransactionRequest {
  const { inputs, plan, images } = decided;
  const names = new Map(
    plan.services.map(({ service, toImage }) => [
      service,
      toImage.digest === null ? (images.get(service)?.id ?? '') : (toImage.image ?? ''),
    ]),
  );
  const { compose } = decided;
  const networksAround = (services: string[]) =>
    supportsReset(compose.version) ? networksOf(compose.config, services) : new Map<string, string>();
  const networks = networksAround(plan.services.map(({ service }) => service));
  const stopped = [
    ...plan.services.map(({ service, fromImage }) => ({ service, imageId: fromImage.imageId })),
    ...(plan.restore?.restarted ?? []).map(({ service, imageId }) => ({ service, imageId: imageId || null })),
  ];
  return {
    startedAt: decided.startedAt,
    backupDir: inputs.backupDir,
    deployDir: inputs.deployDir,
    project: plan.project,
    compose: decided.compose.call,
    inlineFiles: inlineArchives(decided),
    projectState: plan.projectState,
    services: servicesOf(decided),
    database: decided.restoring?.exchange ?? null,
    proxies: plan.proxies,
    lookedUpOnce: plan.lookedUpOnce,
    override: overrideYaml(plan.services, names, transactionMark, decided.compose.origin, networks),
    revert: revertYaml(stopped, networksAround(stopped.map(({ service }) => service))),
    planJson: `${JSON.stringify(plan, null, 2)}\n`,
    stopTimeout: inputs.stopTimeout,
    healthTimeout: inputs.healthTimeout,
    stableFor: inputs.stableFor,
    maxDowntime: inputs.maxDowntime,
    healthUrl: inputs.healthUrl,
    onFailure: inputs.onFailure,
    // Of a restore alone, the release is not to blame.
    blame: !plan.otherSettings && plan.services.length > 0,
    settings: inputs.compose,
    lockWait: inputs.lockWait,
    holder: decided.holder,
    historyId: decided.historyId,
    outcome: outcomeTexts(decided),
  };
}

/** What is swapped and what is only restarted, dependencies first. */
function servicesOf({ plan, restoring }: Decided): TransactionService[] {
  const swapped = plan.services.map(({ service, strategy, retag, fixedName, toImage }) => ({
    service,
    strategy,
    targetImageId: toImage.imageId ?? '',
    retag,
    fixedName,
  }));
  if (restoring === null || plan.restore === null) return swapped;
  const restarted = plan.restore.restarted.map(({ service, imageId }) => ({
    service,
    strategy: 'restart' as const,
    targetImageId: imageId,
    retag: null,
    fixedName: null,
  }));
  const all: TransactionService[] = [...swapped, ...restarted];
  return restoring.order.flatMap((name) => all.filter(({ service }) => service === name));
}

function inlineArchives({ plan, compose }: Decided): Map<string, Buffer> {
  return new Map(
    plan.services.flatMap(({ service }) => {
      const files = inlineFiles(compose.config, compose.values, service);
      return files.length === 0 ? [] : [[service, tarOf(files)]];
    }),
  );
}

/** What the host adds to the history, for each possible ending. */
function outcomeTexts(decided: Decided): OutcomeTexts {
  const { inputs, plan, token, workflow } = decided;
  const marks = outcomeMarks(token);
  // The marks are placeholders that the host fills in; until then this is not a valid record.
  const record = (status: HistoryRecord['status'], verdict: string) =>
    ({
      version: 1,
      id: decided.historyId,
      at: marks.at,
      environment: inputs.environment,
      event: plan.services.length === 0 ? 'restore' : 'rollback',
      status,
      verdict,
      release: plan.to,
      previous: plan.from,
      schemaSha256: decided.schemaSha256,
      backupId: decided.backupId,
      restoredId: plan.restore?.backupId ?? null,
      // A record with a longer reason would be rejected when it is read.
      reason: inputs.reason?.slice(0, longestReason) ?? null,
      actor: workflow.actor,
      runUrl: workflow.runUrl,
      commit: workflow.commit,
      settings: decided.compose.settings,
      durationMs: marks.duration,
      downtimeMs: marks.downtime,
    }) as unknown as HistoryRecord;
  const texts = (each: HistoryRecord) => ({ record: historyLine(each), line: auditLine(each) });
  // Without a health check, nothing has proven that a service works.
  const isProven =
    plan.services.length > 0 && (inputs.healthUrl !== null || plan.services.every(({ proven }) => proven));
  const hold: Hold = {
    reason: inputs.reason ?? 'a rollback',
    since: marks.at,
    run: workflow.runUrl,
    by: workflow.actor,
    from: plan.services.map((step) => `${step.service}=${step.fromName ?? step.fromImage.imageId ?? 'none'}`).join(' '),
    to: plan.services.map((step) => `${step.service}=${step.toName ?? step.toImage.imageId}`).join(' '),
    id: decided.historyId,
  };
  return {
    token,
    endings: {
      'rolled-back': texts(record('succeeded', isProven ? 'good' : 'unknown')),
      reverted: texts(record('reverted', marks.verdict)),
      failed: texts(record('failed', marks.verdict)),
    },
    // A restore alone takes no release back.
    hold: inputs.hold && plan.services.length > 0 ? holdText(hold) : null,
  };
}
