import type { Failure } from '../../shared/failure.ts';
import type { KnownHistory } from '../../shared/history/known-history.ts';
import type { Survey } from '../../shared/host/survey.ts';
import type { RegistryAnswer } from '../../shared/releases/ask-registry.ts';
import type { Catalogue } from '../../shared/sets/catalogue.ts';

/** null where it answered as it should; else why not; missing where it is not given. */
export type Reached = Partial<Record<'bucket' | 'ping' | 'mail', Failure | null>>;

/** What the set-up is judged by. */
export interface SetupFacts {
  /** How people call the host. */
  target: string;
  seen: Survey;
  catalogue: Catalogue;
  knownHistory: KnownHistory;
  /** null where there was nothing to ask. */
  registry: RegistryAnswer | null;
  /** Of what is neither the runner nor the host, as far as it is given. */
  reached: Reached;
  /** What was wrong with the copies of the history off the host. */
  copyNotices: readonly string[];
}
