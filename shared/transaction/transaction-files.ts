import { Failure } from '../failure.ts';
import type { StepStrategy } from '../plan/plan.ts';
import type { ServerAccess, ServerPlace } from '../postgres/probe.ts';
import { type ComposeCall, composeLines } from '../survey/compose-call.ts';
import { addressLines } from './address.ts';

/** What the transaction does to one service. */
export interface TransactionService {
  service: string;
  /** `restart`: its own containers stop while the databases exchange their names, and start again. */
  strategy: StepStrategy | 'restart';
  targetImageId: string;
  /** The compose file's own reference, if it is to point at the target afterwards. */
  retag: string | null;
  /** The fixed name in the compose file. */
  fixedName: string | null;
}

/** The lines that a transaction adds to the history, with placeholders for what only the host knows. */
export interface OutcomeTexts {
  /** The start of every placeholder; random, so that it occurs nowhere else in the texts. */
  token: string;
  /** For each ending: the record, and the line for people. */
  endings: Record<'rolled-back' | 'reverted' | 'failed', { record: string; line: string }>;
  /** The text of the file HOLD; null if there is to be no hold. */
  hold: string | null;
}

/** A restored database that takes the place of the live one. */
export interface DatabaseExchange {
  /** Id of the container. */
  container: string;
  user: string;
  access: ServerAccess;
  /** The live database, with the limit of connections that it has. */
  name: string;
  connectionLimit: number;
  /** The one that the restored database gets, once it is live. */
  restoredLimit: number;
  /** The name of the restored one until then. */
  restored: string;
  /** The name of the old one afterwards; it may have the placeholder for the transaction's id. */
  aside: string;
}

/** Everything the host needs for a rollback. Paths are absolute, except those in `compose`. Times in milliseconds. */
export interface TransactionRequest {
  startedAt: Date;
  backupDir: string;
  deployDir: string;
  project: string;
  /** How compose is called. */
  compose: ComposeCall;
  projectState: string;
  services: readonly TransactionService[];
  /** null: the database is left alone. */
  database: DatabaseExchange | null;
  /** Services that look like reverse proxies: the first to be asked what users get. */
  proxies: readonly string[];
  /** Proxies that look a swapped service up only when they start, so that they must be reloaded. */
  lookedUpOnce: readonly { service: string; proxy: string }[];
  /** Compose files on top of the user's: one with the target's images, one with those that run now. */
  override: string;
  revert: string;
  /** By service: files that compose would write into its containers, as a tar archive. Secrets. */
  inlineFiles: ReadonlyMap<string, Buffer>;
  /** The plan, for people who look at it later. */
  planJson: string;
  /** null: what each container allows itself. */
  stopTimeout: number | null;
  healthTimeout: number;
  stableFor: number;
  maxDowntime: number | null;
  healthUrl: URL | null;
  onFailure: 'revert' | 'leave';
  /** Whether a failure of the target counts against it. */
  blame: boolean;
  /** Which settings the target starts with: those of today, or those that were kept of it. */
  settings: 'current' | 'kept';
  lockWait: number;
  /** Who holds the lock, on one line. */
  holder: string;
  historyId: string;
  outcome: OutcomeTexts;
}

/** Placeholder in override files for the transaction's id, which the host fills in. */
export const transactionMark = '@transaction@';

/** The placeholders for what only the host knows when it writes the history. */
export const outcomeMarks = (token: string) => ({
  at: `${token}-at`,
  verdict: `${token}-verdict`,
  duration: `${token}-duration`,
  downtime: `${token}-downtime`,
});

/** The files of a transaction's folder, by name. */
export function transactionFiles(request: TransactionRequest): Map<string, string> {
  const { outcome, override, revert, planJson } = request;
  const files = new Map([
    ['plan.tsv', planLines(request)],
    ['plan.json', planJson],
    ['override.yml', override],
    ['revert.yml', revert],
  ]);
  for (const [ending, { record, line }] of Object.entries(outcome.endings)) {
    files.set(`outcome/${ending}.json`, record);
    files.set(`outcome/${ending}.log`, line);
  }
  for (const [service, archive] of request.inlineFiles)
    files.set(`files.${service}.tar.base64`, archive.toString('base64'));
  if (outcome.hold !== null) files.set('outcome/hold', outcome.hold);
  return files;
}

/** One line per value: a key, a tab and the value. */
function planLines(request: TransactionRequest): string {
  const seconds = (ms: number) => String(Math.ceil(ms / 1_000));
  const { healthUrl } = request;
  const lines: [string, ...string[]][] = [
    ['project', request.project],
    ['deploy_dir', request.deployDir],
    ...composeLines(request.compose).map((line): [string, string] => ['compose', line]),
    ['project_state', request.projectState],
    ...(request.stopTimeout === null ? [] : [['stop_timeout', seconds(request.stopTimeout)] as [string, string]]),
    ['health_timeout', seconds(request.healthTimeout)],
    ['stable_for', seconds(request.stableFor)],
    ...(request.maxDowntime === null ? [] : [['max_downtime', String(request.maxDowntime)] as [string, string]]),
    ...(healthUrl === null ? [] : addressLines(healthUrl)),
    ['on_failure', request.onFailure],
    ['blame', request.blame ? 'target' : 'none'],
    ['settings', request.settings],
    ['hold', String(request.outcome.hold !== null)],
    ['lock_wait', seconds(request.lockWait)],
    ['holder', request.holder],
    ['history_id', request.historyId],
    ['token', request.outcome.token],
    ...(request.database === null ? [] : databaseLines(request.database)),
    ...request.proxies.map((proxy): [string, string] => ['proxy', proxy]),
    ...request.lookedUpOnce.map(({ service, proxy }): [string, ...string[]] => ['looked_up_once', service, proxy]),
    ...request.services.map(({ service, strategy, targetImageId, retag, fixedName }): [string, ...string[]] => [
      'service',
      service,
      strategy,
      targetImageId,
      retag ?? '-',
      fixedName ?? '-',
    ]),
  ];
  return lines.map((line) => `${line.map(checked).join('\t')}\n`).join('');
}

function databaseLines({ container, user, access, name, restored, aside, ...limits }: DatabaseExchange) {
  const { place, password } = access;
  const lines: [string, string][] = [
    ['database', name],
    ['database_container', container],
    ['database_user', user],
    ['database_restored', restored],
    ['database_aside', aside],
    ['database_limit', String(limits.connectionLimit)],
    ['database_restored_limit', String(limits.restoredLimit)],
    ...(place === null ? [] : placeLines(place)),
    ...(password === null ? [] : [['database_password', password] as [string, string]]),
  ];
  return lines;
}

const placeLines = ({ host, port }: ServerPlace): [string, string][] => [
  ['database_host', host],
  ['database_port', port],
];

/** Refuses characters that would be read as a new line or column. */
function checked(value: string): string {
  if (/[\t\n\r\0]/.test(value) || value === '') {
    throw new Failure(
      'bad-value',
      `${JSON.stringify(value.slice(0, 100))} cannot be written into a transaction's plan`,
      {
        hint: 'Use paths and names without tabs and line breaks',
      },
    );
  }
  return value;
}
