/** What the workflow says of itself; null where it does not say. */
export interface WorkflowContext {
  /** `owner/name` of the repository whose workflow runs. */
  repository: string | null;
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

/** Reads GITHUB_* as the runner sets them for every step. */
export function workflowContext(environment: NodeJS.ProcessEnv = process.env): WorkflowContext {
  const read = (name: string) => environment[name] || null;
  const server = read('GITHUB_SERVER_URL');
  const repository = read('GITHUB_REPOSITORY');
  const runId = read('GITHUB_RUN_ID');
  const actionRepository = read('GITHUB_ACTION_REPOSITORY');
  return {
    repository,
    runId,
    runAttempt: read('GITHUB_RUN_ATTEMPT'),
    runUrl: server && repository && runId ? `${server}/${repository}/actions/runs/${runId}` : null,
    actor: read('GITHUB_ACTOR'),
    commit: read('GITHUB_SHA'),
    event: read('GITHUB_EVENT_NAME'),
    actionIssuesUrl: server && actionRepository ? `${server}/${actionRepository}/issues` : null,
  };
}
