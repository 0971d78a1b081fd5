import type { Addressed, OnNoticeInputs } from '../notify/addressed.ts';
import { evidenceDocument } from '../notify/documents.ts';
import { sendMail, wantsMail } from '../notify/mail.ts';
import { type Notice, noticeOf, type RunReport, type WorkflowRunFacts } from '../notify/notice.ts';
import { pingEnd, pingStart } from '../notify/ping.ts';
import type { Route } from '../notify/post.ts';
import { callWebhook } from '../notify/webhook.ts';
import { reasonOf } from '../reaching.ts';
import { upload } from './artifact-store.ts';
import { workflowContext } from './context.ts';
import { type Ending, wordsOf } from './failure-report.ts';
import { limited } from './github-patience.ts';
import * as log from './log.ts';
import { proxyFor } from './proxy.ts';
import type { Telling } from './run.ts';
import { withoutSecrets } from './secrets.ts';
import { type Outputs, outputText } from './set-outputs.ts';

/** Limits in bytes: GitHub keeps 1 MB of outputs for a whole job. */
const longestOutput = 64 * 1024;
const longestArtifact = 900 * 1024;

/** Milliseconds that the ping of the beginning may still take at the end, so that it does not arrive after that of the end. */
const patienceForStart = 1_000;

const nobody: Addressed = {
  pingUrl: null,
  mailServer: null,
  mailing: null,
  webhook: null,
  evidence: 'none',
  environment: null,
  database: null,
};

/** Outputs of an action that keeps evidence. */
export type EvidencedOutputs = Outputs & { evidence: string | null };

/** Tells of one run of an action: its beginning once, and its end once through each channel. */
export class Notices<Story, O extends EvidencedOutputs> implements Telling<O> {
  /** What the run has come to know; the action adds to it as it goes. */
  readonly story: Story;
  readonly #startedAt = new Date();
  readonly #tell: (story: Story, outputs: O, ending: Ending) => RunReport;
  readonly #untilEnd = new AbortController();
  #addressed = nobody;
  #start: Promise<void> = Promise.resolve();

  /** @param tell says what the story comes to; pure */
  constructor(story: Story, tell: (story: Story, outputs: O, ending: Ending) => RunReport) {
    this.story = story;
    this.#tell = tell;
  }

  /** Reads the inputs of the action, then tells that the run has begun. If inputs are bad, only the end will be told. */
  begin<Inputs>(readInputs: (onNotices: OnNoticeInputs) => Inputs): Inputs {
    const inputs = readInputs((addressed) => {
      this.#addressed = addressed;
    });
    const { pingUrl } = this.#addressed;
    if (pingUrl !== null) this.#start = this.#pingStart(pingUrl);
    return inputs;
  }

  prepare(ending: Ending, outputs: O): void {
    try {
      outputs.evidence = evidenceDocument(this.#notice(ending, outputs), longestOutput);
    } catch (error) {
      log.warning(`Could not put the evidence together: ${reasonOf(error)}`);
    }
  }

  async tell(ending: Ending, outputs: O, signal: AbortSignal): Promise<void> {
    const { pingUrl, mailing, webhook, evidence } = this.#addressed;
    const notice = this.#notice(ending, outputs);
    const route = { proxyFor, signal };
    const sending = [
      ...(pingUrl === null ? [] : [warnUnless('the ping', pingUrl.host, this.#pingEnd(pingUrl, notice, route))]),
      ...(webhook === null ? [] : [warnUnless('the webhook', webhook.url.host, callWebhook(webhook, notice, route))]),
      ...(mailing === null || !wantsMail(mailing, notice)
        ? []
        : [warnUnless('the mail', null, sendMail(mailing, notice, signal))]),
      ...(evidence === 'none' ? [] : [storeEvidence(notice)]),
    ];
    await Promise.all(sending);
  }

  #notice(ending: Ending, outputs: O): Notice {
    const report = this.#tell(this.story, outputs, ending);
    return noticeOf(
      {
        action: ending.action,
        environment: this.#addressed.environment,
        startedAt: this.#startedAt,
        finishedAt: new Date(),
        run: thisRun(),
        outputs: Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, outputText(value)])),
      },
      { ...report, database: report.database ?? this.#addressed.database },
      { exitCode: ending.exitCode, isCancelled: ending.cancelledBy !== null, failure: wordsOf(ending) },
      withoutSecrets,
    );
  }

  async #pingStart(url: URL): Promise<void> {
    const { signal } = this.#untilEnd;
    try {
      await pingStart(url, { proxyFor, signal });
    } catch (error) {
      // At the end only that counts.
      if (!signal.aborted) log.warning(`${url.host} did not accept the start ping: ${reasonOf(error)}`);
    }
  }

  async #pingEnd(url: URL, notice: Notice, route: Route): Promise<void> {
    const late = setTimeout(() => this.#untilEnd.abort(new Error('the run has ended')), patienceForStart);
    await this.#start;
    clearTimeout(late);
    await pingEnd(url, notice, route);
  }
}

/** A notice that could not be sent does not fail the run: its work is done. */
async function warnUnless(what: string, host: string | null, sending: Promise<void>): Promise<void> {
  try {
    await sending;
    log.info(`Sent ${what}`);
  } catch (error) {
    const where = host === null ? '' : ` to ${host}`;
    log.warning(
      `Could not send ${what}${where}: ${withoutSecrets(reasonOf(error))}. This does not change how the run ended`,
    );
  }
}

async function storeEvidence(notice: Notice): Promise<void> {
  const { environment, action, finishedAt } = notice;
  // Unique in a run, which may have several such steps.
  const time = finishedAt.toISOString().replaceAll(/[-:.]/g, '');
  const name = `evidence-${environment ?? 'unknown'}-${action.replace(/-action$/, '')}-${time}`;
  const why = await limited(
    async () => {
      await upload(name, evidenceDocument(notice, longestArtifact), 'evidence.json');
      return null;
    },
    (reason) => reason,
  );
  if (why === null) log.info(`Stored the evidence as the artifact ${name}`);
  else log.warning(`Could not store the evidence as an artifact: ${why}. It is in the output "evidence"`);
}

function thisRun(): WorkflowRunFacts {
  const { runUrl, repository, runId, runAttempt, event, actor, commit } = workflowContext();
  return { url: runUrl, repository, id: runId, attempt: runAttempt, event, actor, commit };
}
