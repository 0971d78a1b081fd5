import { asUser, detailOf, type Finding, Findings, type Group, type Tally, tallyOf } from '../shared/drill/finding.ts';
import { Failure, isFailure } from '../shared/failure.ts';
import type { Connection } from '../shared/host/connection.ts';
import type { WorkflowContext } from '../shared/runner/context.ts';
import { historyMirror } from '../shared/runner/history-mirror.ts';
import * as log from '../shared/runner/log.ts';
import { reachHost } from '../shared/runner/reach-host.ts';
import type { ActionContext } from '../shared/runner/run.ts';
import { lastGoodIn } from '../shared/sets/last-good.ts';
import { listed } from '../shared/units.ts';
import { checkBackups } from './backups/check-backups.ts';
import { checkDeployment } from './deployment/check-deployment.ts';
import type { VerifyInputs } from './inputs.ts';
import { judgeLiveDatabase } from './live-database.ts';
import type { VerifyStory } from './notice.ts';
import type { VerifyOutputs } from './outputs.ts';
import { checkSetup } from './setup/check-setup.ts';
import { type Subjects, summarizeVerification, tallyText, tellFindings, verdictText } from './summary.ts';
import { look, type Verification } from './surveyed-host.ts';

/** Survey, judge each check, record, report. */
export async function verify(
  inputs: VerifyInputs,
  workflow: WorkflowContext,
  context: ActionContext<VerifyOutputs>,
  story: VerifyStory,
): Promise<void> {
  const { signal, outputs } = context;
  const started = Date.now();
  const { environment, history: kinds, githubToken: token } = inputs;
  const mirror = historyMirror({ environment, kinds, token, workflow });
  const run = { inputs, workflow, signal, outputs, mirror, mirrored: mirror.load() };
  let connection: Connection | undefined;
  const { findings } = story;
  const subjects: Subjects = {};
  try {
    try {
      connection = await reachHost(inputs.ssh, context);
      await makeChecks(connection, run, story, subjects);
    } catch (error) {
      if (!isFailure(error) || signal.aborted) throw error;
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
    const hostName = connection?.name ?? inputs.ssh?.host ?? 'local';
    const verdict = verdictText(tally, inputs, subjects);
    story.verdict = verdict;
    summarizeVerification(
      findings,
      tally,
      verdict,
      inputs,
      { hostName, lastGood: story.lastGood },
      Date.now() - started,
    );
    if (tally.status === 'verified') log.success(`${verdict} (${tallyText(tally)})`);
    else throw notVerified(findings, tally, verdict);
  } finally {
    await connection?.close();
  }
}

async function makeChecks(
  connection: Connection,
  run: Verification,
  story: VerifyStory,
  subjects: Subjects,
): Promise<void> {
  const { inputs } = run;
  const { findings: all } = story;
  const surveyed = await log.group(`Survey of ${connection.name}`, () => look(connection, run));
  Object.assign(story, lastGoodIn(surveyed.seen, inputs.databaseName));
  const make = async (group: Group, title: string, judge: () => Promise<Findings>) => {
    if (!inputs.checks.includes(group)) return;
    await log.group(title, async () => {
      const { list: found, subject } = await judge().catch((error) => unmade(error, group, run.signal));
      const list = asUser(found, surveyed.seen.user);
      all.push(...list);
      if (subject !== null) subjects[group] = subject;
      tellFindings(list);
    });
  };
  await make('setup', 'Setup: will backups and rollbacks work?', () => checkSetup(connection, surveyed, run));
  const [group] = inputs.checks;
  if (group !== undefined && !inputs.checks.some((each) => each === 'setup' || each === 'deployment')) {
    const list = asUser(judgeLiveDatabase(group, surveyed.seen).list, surveyed.seen.user);
    all.push(...list);
    tellFindings(list);
  }
  await make('backups', 'Backups: are they complete and intact?', () => checkBackups(connection, surveyed, run));
  await make('drill', 'Drill: does a backup restore?', async () => {
    const { checkDrill } = await import('./drill/check-drill.ts');
    return checkDrill(connection, surveyed, run, story);
  });
  await make('deployment', 'Deployment: is the right release running, and healthy?', () =>
    checkDeployment(connection, surveyed, run),
  );
}

/** Something stopped a group of checks half-way, so none of the group has passed. */
function unmade(error: unknown, group: Group, signal: AbortSignal): Findings {
  if (!isFailure(error) || signal.aborted) throw error;
  const findings = new Findings(group);
  findings.unable(group, detailOf(error), error.hint ?? null);
  return findings;
}

/** Without a survey of the host, no check can be made. */
function tellUnmade(error: Failure, groups: readonly Group[], all: Finding[]): void {
  const setup = new Findings('setup');
  setup.check('connection', () => {
    throw error;
  });
  const others = groups
    .filter((group) => group !== 'setup' || all.length > 0)
    .map((group) => {
      const findings = new Findings(group);
      findings.unable(group, 'the host could not be surveyed', null);
      return findings;
    });
  const list = [setup, ...others].flatMap((findings) => findings.list);
  all.push(...list);
  tellFindings(list);
}

/** The verdict with the worst findings, and the remedy of the first. */
function notVerified(findings: readonly Finding[], tally: Tally, verdict: string): Failure {
  const isFailed = tally.status === 'failed';
  const worst = findings.filter(({ result, severity }) =>
    isFailed ? result === 'failed' && (tally.failed === 0 || severity === 'error') : result === 'could-not-check',
  );
  const named = worst.map(({ name, detail }) => `${name}: ${detail}`);
  const what = `${listed(named, 3, { separator: '; ' })} (${tallyText(tally)})`;
  const hint = worst.find(({ remedy }) => remedy !== null)?.remedy ?? 'See the table above';
  return isFailed
    ? new Failure('verification-failed', `${verdict}. ${what}`, { hint })
    : new Failure('could-not-verify', `${verdict}. ${what}`, { hint });
}
