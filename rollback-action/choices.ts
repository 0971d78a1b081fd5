import { type Candidate, candidates } from '../shared/history/candidates.ts';
import { lastGood } from '../shared/history/choice.ts';
import { entriesOf, type KnownHistory } from '../shared/history/known-history.ts';
import type { HistoryRecord } from '../shared/history/record.ts';
import { type Wanted, wantedRelease } from '../shared/plan/wanted-release.ts';
import { databaseServices } from '../shared/releases/database-services.ts';
import type { ComposeProject } from '../shared/releases/project.ts';
import { readableProject } from '../shared/releases/readable-project.ts';
import { type Release, releaseOf } from '../shared/releases/release.ts';
import { storeServices } from '../shared/releases/stores.ts';
import type { Survey } from '../shared/survey/survey.ts';
import type { ComposeSurvey } from '../shared/survey/survey-compose.ts';
import { noSwapFacts } from '../shared/survey/survey-swap.ts';
import type { RollbackInputs } from './inputs.ts';

/** What runs, and to what it could be rolled back. */
export interface Choices {
  running: Release;
  databases: ReadonlySet<string>;
  /** Stores of data that nobody named. */
  stores: ReadonlySet<string>;
  /** Both of these: services that are no part of a choice. */
  ignored: ReadonlySet<string>;
  /** The project by the compose files of today. */
  today: ComposeProject;
  /** The host's own records of this environment, in the order of their file. */
  history: HistoryRecord[];
  /** The releases that the operator can choose from. */
  candidates: Candidate[];
  /**
   * What the input "target" means in a project: that of today, or the one that was kept.
   * @throws Failure as `wantedRelease` does
   */
  wantedIn(project: ComposeProject): Wanted;
}

/** @throws Failure as `readableProject` does */
export function choicesFrom(
  seen: Survey,
  compose: ComposeSurvey,
  knownHistory: KnownHistory,
  inputs: RollbackInputs,
): Choices {
  const { environment, registry, services, target } = inputs;
  const { images } = compose;
  const running = releaseOf(seen.containers, seen.images);
  const databases = databaseServices(seen, inputs.databaseService);
  const today = readableProject(seen, inputs);
  const stores = storesOf(seen, today, inputs, databases);
  const ignored = new Set([...databases, ...stores]);
  const entries = entriesOf(knownHistory);
  const isOurs = (record: HistoryRecord) => record.environment === environment;
  const verdicts = [...knownHistory.missing, ...knownHistory.host].filter(isOurs);
  const history = knownHistory.host.filter(isOurs);
  const choice = lastGood({ records: knownHistory.host, environment, running, ignored });
  return {
    running,
    databases,
    stores,
    ignored,
    today,
    history,
    candidates: candidates({ entries, verdicts, running, ignored, images, environment }),
    wantedIn: (project) =>
      inputs.restore?.isAlone === true
        ? whatRuns
        : wantedRelease(target, {
            project,
            databases,
            history,
            entries,
            verdicts,
            images,
            choice,
            services,
            registry,
          }),
  };
}

/** Only the database is restored. */
const whatRuns: Wanted = {
  images: new Map(),
  source: 'the release that runs: only the database is restored',
  record: null,
  unknown: [],
  knownBad: null,
};

/** The stores that nobody named, neither as a service nor with a tag of its own. */
function storesOf(
  { containers, swapFacts }: Survey,
  { services }: ComposeProject,
  inputs: RollbackInputs,
  databases: ReadonlySet<string>,
): ReadonlySet<string> {
  const images = new Map([...services.values()].map(({ name, image }) => [name, image]));
  const named = [...(inputs.services ?? []), ...(inputs.target.kind === 'services' ? inputs.target.images.keys() : [])];
  const found = storeServices(containers, swapFacts ?? noSwapFacts, images);
  return new Set([...found].filter((service) => !databases.has(service) && !named.includes(service)));
}
