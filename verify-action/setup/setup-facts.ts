import type { Failure } from '../../shared/failure.ts';
import type { KnownHistory } from '../../shared/history/known-history.ts';
import type { RegistryAnswer } from '../../shared/releases/ask-registry.ts';
import type { Catalogue } from '../../shared/sets/catalogue.ts';
import type { Survey } from '../../shared/survey/survey.ts';

/** null: it answered properly; a Failure: why it did not; missing: it is not configured. */
export type Reached = Partial<Record<'bucket' | 'ping' | 'mail' | 'webhook', Failure | null>>;

/** The facts by which the setup is judged. */
export interface SetupFacts {
  /** The host's name for people. */
  hostName: string;
  seen: Survey;
  catalogue: Catalogue;
  knownHistory: KnownHistory;
  /** null if there was nothing to ask; `error`: why the registry could not be asked. */
  registry: RegistryAnswer | { error: string } | null;
  /** Results for the configured services outside of runner and host. */
  reached: Reached;
  /** Problems with the copies of the history off the host. */
  copyNotices: readonly string[];
}
