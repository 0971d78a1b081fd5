import { readFileSync } from 'node:fs';
import { orNull, shape, text } from '../untrusted.ts';

/** What the workflow says of itself; null where it does not say. */
export interface WorkflowContext {
  /** `owner/name` of the repository whose workflow runs. */
  repository: string | null;
  /** Its number, which a renamed or an imitating repository does not share. */
  repositoryId: string | null;
  /** Its main branch. */
  defaultBranch: string | null;
  /** Branch or tag that the workflow runs from. */
  refName: string | null;
  runId: string | null;
  /** 1 for the first try of a run. */
  runAttempt: string | null;
  /** Where people read this run. */
  runUrl: string | null;
  actor: string | null;
  commit: string | null;
  /** Name of the event that started the run, such as `schedule`. */
  event: string | null;
  /** Where people report a defect of the action; null where it runs from a checkout. */
  actionIssuesUrl: string | null;
}

/** Reads GITHUB_* as the runner sets them for every step. @param payload the event's own words; {} where there are none */
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
    // What a schedule starts runs on the main branch, and its event tells nothing else.
    defaultBranch: defaultBranchIn(payload) ?? (event === 'schedule' ? refName : null),
    refName,
    runId,
    runAttempt: read('GITHUB_RUN_ATTEMPT'),
    runUrl: server && repository && runId ? `${server}/${repository}/actions/runs/${runId}` : null,
    actor: read('GITHUB_ACTOR'),
    commit: read('GITHUB_SHA'),
    event,
    actionIssuesUrl: server && actionRepository ? `${server}/${actionRepository}/issues` : null,
  };
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
