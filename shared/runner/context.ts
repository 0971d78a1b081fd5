import { readFileSync } from 'node:fs';
import { orNull, shape, text } from '../untrusted.ts';

/** What the workflow says about itself; null if it does not say. */
export interface WorkflowContext {
  /** `owner/name` of the repository whose workflow runs. */
  repository: string | null;
  /** Its number. A renamed repository keeps it; a repository that takes over the name has another. */
  repositoryId: string | null;
  /** Its main branch. */
  defaultBranch: string | null;
  /** The branch or tag from which the workflow runs. */
  refName: string | null;
  runId: string | null;
  /** 1 for the first attempt of a run. */
  runAttempt: string | null;
  /** The web page of this run. */
  runUrl: string | null;
  /** Before the number of a run of this repository. */
  runsUrl: string | null;
  /** The web page of this run's workflow, with the button "Run workflow". */
  workflowUrl: string | null;
  actor: string | null;
  commit: string | null;
  /** Name of the event that started the run, such as `schedule`. */
  event: string | null;
  /** The web page to report a bug in the action; null if the action runs from a checkout. */
  actionIssuesUrl: string | null;
}

/** Reads the GITHUB_* variables of the runner. @param payload of the event; {} if there is none */
export function workflowContext(
  environment: NodeJS.ProcessEnv = process.env,
  payload: unknown = readPayload(environment['GITHUB_EVENT_PATH']),
): WorkflowContext {
  const read = (name: string) => environment[name] || null;
  const server = read('GITHUB_SERVER_URL');
  const repository = read('GITHUB_REPOSITORY');
  const runId = read('GITHUB_RUN_ID');
  const event = read('GITHUB_EVENT_NAME');
  const refName = read('GITHUB_REF_NAME');
  const actionRepository = read('GITHUB_ACTION_REPOSITORY');
  return {
    repository,
    repositoryId: read('GITHUB_REPOSITORY_ID'),
    // A scheduled run is always on the main branch, and its event does not name the branch.
    defaultBranch: defaultBranchIn(payload) ?? (event === 'schedule' ? refName : null),
    refName,
    runId,
    runAttempt: read('GITHUB_RUN_ATTEMPT'),
    runUrl: server && repository && runId ? `${server}/${repository}/actions/runs/${runId}` : null,
    runsUrl:
      server && repository && isPlain(`${server}/${repository}`) ? `${server}/${repository}/actions/runs/` : null,
    workflowUrl: server && repository ? workflowUrl(server, repository, read('GITHUB_WORKFLOW_REF')) : null,
    actor: read('GITHUB_ACTOR'),
    commit: read('GITHUB_SHA'),
    event,
    actionIssuesUrl: server && actionRepository ? `${server}/${actionRepository}/issues` : null,
  };
}

/** Nothing in it that would end a link in Markdown. */
function isPlain(url: string): boolean {
  return /^https?:\/\/[\w.:-]+(?:\/[\w.-]+)+$/.test(url);
}

/** `GITHUB_WORKFLOW_REF` is `owner/name/.github/workflows/rollback.yml@refs/heads/main`. */
function workflowUrl(server: string, repository: string, ref: string | null): string | null {
  const [, file] = /\/\.github\/workflows\/([\w.-]+)@/.exec(ref?.startsWith(`${repository}/`) ? ref : '') ?? [];
  const url = `${server}/${repository}/actions/workflows/${file}`;
  return file !== undefined && isPlain(url) ? url : null;
}

const readEvent = shape({ repository: orNull(shape({ default_branch: orNull(text(1_000)) })) });

function defaultBranchIn(payload: unknown): string | null {
  try {
    return readEvent(payload, '').repository?.default_branch || null;
  } catch {
    return null;
  }
}

function readPayload(path: string | undefined): unknown {
  try {
    return JSON.parse(readFileSync(path ?? '', 'utf8'));
  } catch {
    return {};
  }
}
