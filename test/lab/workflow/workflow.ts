// Runs a workflow's jobs one after the other, with our actions from this checkout. It knows what our examples use, and fails on
// anything else: a key, a property or an action that it does not know is a mistake of the example until it is taught here.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';
import { github } from '../runner/step.ts';
import { type ActionResult, runAction } from '../runner.ts';
import { evaluate, filled, holds, type JobState, type Scope, type Value } from './expression.ts';
import { runScript } from './script.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** What the repository's settings and whoever starts the workflow give. */
export interface WorkflowRun {
  /** Secrets and variables by environment. */
  environments: Readonly<
    Record<string, { secrets: Readonly<Record<string, string>>; vars: Readonly<Record<string, string>> }>
  >;
  event?: 'workflow_dispatch' | 'schedule';
  /** What was filled in; the rest has its default. */
  form?: Readonly<Record<string, string | boolean>>;
  /** In the file's text, such as the folder of the lab's host instead of /opt/atlasia. */
  instead?: Readonly<Record<string, string>>;
  /** What `aws-actions/configure-aws-credentials` puts into the environment. */
  aws?: Readonly<Record<string, string>>;
  /** Added to the environment of each step of ours. */
  env?: Readonly<Record<string, string>>;
  token?: string;
  /** Given to each of our actions, where the lab differs from a host that people have; never what the file gives itself. */
  with?: (action: string) => Readonly<Record<string, string>>;
  /** For a job on the host itself. */
  local?: Parameters<typeof runAction>[2];
  /** Instead of running it: for tests of the runner. */
  runStep?: typeof runAction;
}

export interface StepResult {
  job: string;
  name: string;
  outcome: 'success' | 'failure' | 'skipped';
  /** Of one of our actions. */
  action?: ActionResult;
  /** What a script printed, or wrote into the job summary. */
  stdout: string;
  summary: string;
}

export interface WorkflowResult {
  steps: StepResult[];
  /** By job: `success`, `failure` or `skipped`; in order. */
  jobs: Record<string, 'success' | 'failure' | 'skipped'>;
  concurrency: string | null;
  step(name: string, job?: string): StepResult;
  /** The summaries of all steps, as the page of the run shows them. */
  summary: string;
}

type Node = { [key: string]: unknown };

const keys = {
  workflow: 'name on permissions concurrency jobs',
  job: 'name needs if runs-on environment permissions timeout-minutes strategy outputs env steps uses with secrets',
  step: 'name id if uses with run env',
  strategy: 'fail-fast max-parallel matrix',
  concurrency: 'group cancel-in-progress',
} as const;

/** @param path from the root of the repository */
export async function runWorkflow(path: string, run: WorkflowRun): Promise<WorkflowResult> {
  const file = read(path, run.instead ?? {});
  const inputs = formOf(file, run);
  const event = { inputs };
  const results: StepResult[] = [];
  const jobs: WorkflowResult['jobs'] = {};
  const base = { github: githubContext(run, event), inputs };
  const group = concurrencyOf(file, { contexts: base, state: { failed: false, cancelled: false } });
  await runJobs(file, { ...base }, run, results, jobs);
  return {
    steps: results,
    jobs,
    concurrency: group,
    step(name, job) {
      const found = results.find((step) => step.name === name && (job === undefined || step.job === job));
      if (found === undefined)
        throw new Error(`No step "${name}" among ${results.map((step) => step.name).join(', ')}`);
      return found;
    },
    summary: results.map(({ summary }) => summary).join('\n'),
  };
}

function read(path: string, instead: Readonly<Record<string, string>>): Node {
  const text = Object.entries(instead).reduce(
    (all, [from, to]) => all.replaceAll(from, to),
    readFileSync(join(root, path), 'utf8'),
  );
  return known('workflow', parse(text, { merge: false }), path);
}

function known(kind: keyof typeof keys, node: unknown, where: string): Node {
  if (typeof node !== 'object' || node === null) throw new Error(`${where}: no ${kind}`);
  const strange = Object.keys(node).filter((key) => !keys[kind].split(' ').includes(key));
  if (strange.length > 0) throw new Error(`${where}: a ${kind} with ${strange.join(', ')} is not known here`);
  return node as Node;
}

function githubContext(run: WorkflowRun, event: { inputs: { [name: string]: Value } }): { [name: string]: Value } {
  const name = run.event ?? 'workflow_dispatch';
  return { ...github, token: run.token ?? '', event_name: name, event: name === 'schedule' ? { schedule: '' } : event };
}

/** As GitHub fills it: defaults, booleans as such, and nothing that the form does not have. */
function formOf(file: Node, { form = {}, event }: WorkflowRun): { [name: string]: Value } {
  const on = file['on'] as Node;
  if (event === 'schedule') {
    if (!('schedule' in on)) throw new Error('The workflow has no schedule');
    return {};
  }
  if (!('workflow_dispatch' in on)) throw new Error('The workflow has no button');
  const declared = ((on['workflow_dispatch'] as Node | null)?.['inputs'] ?? {}) as Record<string, Node>;
  return valuesOf(declared, form);
}

function valuesOf(declared: Record<string, Node>, given: Readonly<Record<string, Value>>): { [name: string]: Value } {
  const strange = Object.keys(given).filter((name) => !(name in declared));
  if (strange.length > 0) throw new Error(`There is no input ${strange.join(', ')}`);
  return Object.fromEntries(
    Object.entries(declared).map(([name, input]): [string, Value] => {
      const { type, options, required } = input as { type: string; options?: string[]; required?: boolean };
      const fallback = (input['default'] as Value) ?? (type === 'boolean' ? false : (options?.[0] ?? ''));
      const value = given[name] ?? fallback;
      if (!['string', 'boolean', 'choice', 'number'].includes(type)) throw new Error(`${name} has the type ${type}`);
      if (type === 'boolean' && typeof value !== 'boolean') throw new Error(`${name} is no boolean: ${value}`);
      if (options !== undefined && !options.includes(String(value))) throw new Error(`${name} cannot be ${value}`);
      if (required === true && value === '') throw new Error(`${name} is required`);
      return [name, value];
    }),
  );
}

function concurrencyOf(file: Node, scope: Scope): string | null {
  if (file['concurrency'] === undefined) return null;
  const { group } = known('concurrency', file['concurrency'], 'concurrency') as { group: string };
  return filled(group, scope);
}

async function runJobs(
  file: Node,
  contexts: { [name: string]: Value },
  run: WorkflowRun,
  results: StepResult[],
  ended: WorkflowResult['jobs'],
): Promise<{ [name: string]: Value }> {
  const needs: { [job: string]: { result: string; outputs: { [name: string]: string } } } = {};
  for (const [id, node] of Object.entries(file['jobs'] as Node)) {
    const job = known('job', node, id);
    const needed = [job['needs'] ?? []].flat() as string[];
    const failed = needed.some((other) => needs[other]?.result !== 'success');
    const own = {
      ...contexts,
      needs: Object.fromEntries(needed.map((name) => [name, needs[name] ?? fail(`no job ${name}`)])),
    };
    const result = { result: 'skipped', outputs: {} as { [name: string]: string } };
    if (holds(job['if'], { contexts: own, state: { failed, cancelled: false } })) {
      result.result = 'success';
      for (const matrix of matrixOf(job)) {
        const { isGood, outputs } = await runJob(id, job, { ...own, matrix }, run, results);
        if (!isGood) result.result = 'failure';
        // An empty output does not overwrite that of another job of the matrix.
        for (const [name, value] of Object.entries(outputs)) if (value !== '') result.outputs[name] = value;
        const { 'fail-fast': stops = true } = (job['strategy'] ?? {}) as { 'fail-fast'?: boolean };
        if (!isGood && stops) break;
      }
    }
    needs[id] = result;
    ended[id] = result.result as 'success';
  }
  return needs;
}

function matrixOf(job: Node): { [name: string]: Value }[] {
  if (job['strategy'] === undefined) return [{}];
  const { matrix } = known('strategy', job['strategy'], 'strategy') as {
    matrix: { include: { [name: string]: Value }[] };
  };
  if (Object.keys(matrix).join() !== 'include') throw new Error('Only a matrix of "include" is known here');
  return matrix.include;
}

async function runJob(
  id: string,
  job: Node,
  contexts: { [name: string]: Value },
  run: WorkflowRun,
  results: StepResult[],
): Promise<{ isGood: boolean; outputs: { [name: string]: string } }> {
  if (job['uses'] !== undefined) return callWorkflow(id, job, contexts, run, results);
  const state: JobState = { failed: false, cancelled: false };
  const plain: Scope = { contexts, state };
  const environment = filled(String(job['environment'] ?? ''), plain);
  const given = environment === '' ? { secrets: {}, vars: {} } : run.environments[environment];
  if (given === undefined) throw new Error(`${id}: there is no environment "${environment}"`);
  if (!(Number(job['timeout-minutes']) > 0)) throw new Error(`${id} has no timeout-minutes`);
  const steps: { [id: string]: Value } = {};
  const scope: Scope = { contexts: { ...contexts, secrets: given.secrets, vars: given.vars, steps }, state };
  // What a step exports takes the place of what the job gives.
  const exported = textsOf(job['env'], scope);
  for (const node of job['steps'] as unknown[]) {
    const step = known('step', node, id);
    const result = await runStep(id, step, scope, run, exported);
    results.push(result);
    if (result.outcome === 'failure') state.failed = true;
    if (step['id'] !== undefined)
      steps[String(step['id'])] = { outcome: result.outcome, outputs: outputsOf(step, result) };
  }
  const outputs = Object.entries((job['outputs'] ?? {}) as Record<string, string>).map(([name, text]) => [
    name,
    filled(text, scope),
  ]);
  return { isGood: !state.failed, outputs: Object.fromEntries(outputs) };
}

/** Those of a script are what it set; a step that was skipped has none, and they are empty. */
function outputsOf(
  step: Node,
  { action, outputs }: StepResult & { outputs?: Record<string, string> },
): { [name: string]: Value } {
  const values: { [name: string]: Value } = { ...(action?.outputs ?? outputs ?? {}) };
  if (step['uses'] === undefined)
    // A script may set different ones in each job of a matrix.
    return new Proxy(values, { get: (all, name) => all[String(name)] ?? '' });
  const declared = Object.keys(parse(readFileSync(join(root, folderOf(step) ?? '', 'action.yml'), 'utf8')).outputs);
  return Object.fromEntries(declared.map((name) => [name, values[name] ?? '']));
}

function folderOf({ uses }: Node): string | null {
  return /^atlasia\/((?:backup|rollback|verify)-action)@v1$/.exec(String(uses))?.[1] ?? null;
}

async function runStep(
  job: string,
  step: Node,
  scope: Scope,
  run: WorkflowRun,
  exported: Record<string, string>,
): Promise<StepResult & { outputs?: Record<string, string> }> {
  const name = String(step['name'] ?? step['uses'] ?? 'a script');
  const result = { job, name, stdout: '', summary: '' };
  if (!holds(step['if'], scope)) return { ...result, outcome: 'skipped' };
  const env = { ...exported, ...textsOf(step['env'], scope) };
  if (step['run'] !== undefined) {
    const script = String(step['run']);
    if (script.includes('${{')) throw new Error(`${name}: a value becomes part of a script`);
    const { code, stdout, summary, outputs } = await runScript(script, { ...run.env, ...env });
    return { ...result, outcome: code === 0 ? 'success' : 'failure', stdout, summary, outputs };
  }
  const uses = String(step['uses']);
  const folder = folderOf(step);
  const inputs = textsOf(step['with'], scope);
  if (folder !== null) {
    const action = folder.replace(/-action$/, '');
    const all = { ...run.with?.(action), ...inputs };
    const { env: localEnv, ...local } = inputs['host'] === 'local' ? (run.local ?? {}) : {};
    const ran = await (run.runStep ?? runAction)(action, all, {
      ...local,
      env: { ...localEnv, ...run.env, ...env },
      ...(run.token === undefined ? {} : { token: run.token }),
    });
    return {
      ...result,
      outcome: ran.exitCode === 0 ? 'success' : 'failure',
      action: ran,
      stdout: ran.stdout + ran.stderr,
      summary: ran.summary,
    };
  }
  if (/^actions\/checkout@[0-9a-f]{40}$/.test(uses)) return { ...result, outcome: 'success' };
  if (/^aws-actions\/configure-aws-credentials@[0-9a-f]{40}$/.test(uses)) {
    if (run.aws === undefined) throw new Error(`${name}: the test gives no login to AWS`);
    for (const input of ['role-to-assume', 'aws-region'])
      if (!inputs[input]) return { ...result, outcome: 'failure', stdout: `${input} is missing` };
    Object.assign(exported, run.aws, { AWS_REGION: inputs['aws-region'] });
    return { ...result, outcome: 'success' };
  }
  throw new Error(`${name}: ${uses} is not known here`);
}

function textsOf(node: unknown, scope: Scope): Record<string, string> {
  const given = Object.entries((node ?? {}) as Node);
  return Object.fromEntries(given.map(([key, value]) => [key, filled(String(value), scope)]));
}

/** A reusable workflow of ours, from this checkout. */
async function callWorkflow(
  id: string,
  job: Node,
  contexts: { [name: string]: Value },
  run: WorkflowRun,
  results: StepResult[],
): Promise<{ isGood: boolean; outputs: { [name: string]: string } }> {
  const [, path] = /^atlasia\/actions\/(\.github\/workflows\/[\w-]+\.yml)@v1$/.exec(String(job['uses'])) ?? [];
  if (path === undefined) throw new Error(`${id}: ${job['uses']} is not known here`);
  if (job['secrets'] !== 'inherit') throw new Error(`${id}: secrets of an environment come only by "inherit"`);
  const file = read(path, run.instead ?? {});
  const call = ((file['on'] as Node)['workflow_call'] ?? {}) as Node;
  const scope: Scope = { contexts, state: { failed: false, cancelled: false } };
  const given = Object.entries((job['with'] ?? {}) as Node).map(([name, value]): [string, Value] => {
    const [, inner] = /^\$\{\{([\s\S]*)\}\}$/.exec(String(value)) ?? [];
    // One expression keeps its type.
    return [name, inner === undefined ? (value as Value) : evaluate(inner, scope)];
  });
  const inputs = valuesOf((call['inputs'] ?? {}) as Record<string, Node>, Object.fromEntries(given));
  const jobs: WorkflowResult['jobs'] = {};
  await runJobs(file, { ...contexts, inputs }, run, results, jobs);
  return { isGood: Object.values(jobs).every((result) => result !== 'failure'), outputs: {} };
}

function fail(why: string): never {
  throw new Error(why);
}
