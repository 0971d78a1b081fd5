import type { Catalogue } from '../../shared/backups/catalogue.ts';
import type { Book } from '../../shared/history/book.ts';
import type { Survey } from '../../shared/host/survey.ts';
import type { RegistryAnswer } from '../../shared/releases/ask-registry.ts';

/** What the set-up is judged by. */
export interface SetupFacts {
  /** How people call the host. */
  target: string;
  seen: Survey;
  catalogue: Catalogue;
  book: Book;
  /** null where there was nothing to ask. */
  registry: RegistryAnswer | null;
  /** What was wrong with the copies of the history off the host. */
  copyNotices: readonly string[];
}
