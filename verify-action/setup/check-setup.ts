import { detailOf, type Findings } from '../../shared/drill/finding.ts';
import { isFailure } from '../../shared/failure.ts';
import type { Connection } from '../../shared/host/connection.ts';
import { askRegistry } from '../../shared/releases/ask-registry.ts';
import * as log from '../../shared/runner/log.ts';
import type { SurveyedHost, Verification } from '../surveyed-host.ts';
import { imagesToAskFor } from './judge-images.ts';
import { judgeSetup } from './judge-setup.ts';
import { reachOutside } from './outside.ts';
import type { SetupFacts } from './setup-facts.ts';

/** Checks that backups and rollbacks will work. */
export async function checkSetup(connection: Connection, surveyed: SurveyedHost, run: Verification): Promise<Findings> {
  const [registry, reached] = await Promise.all([
    question(connection, surveyed, run),
    reachOutside(run.inputs, run.signal),
  ]);
  return judgeSetup({ ...surveyed, hostName: connection.name, registry, reached }, run.inputs);
}

/** Asks the registry, but only if there is a login to try, or an image that the host does not have. */
async function question(
  connection: Connection,
  surveyed: SurveyedHost,
  { inputs, signal }: Verification,
): Promise<SetupFacts['registry']> {
  const references = imagesToAskFor(surveyed, inputs);
  if ('error' in surveyed.seen.docker || (inputs.login === null && references.length === 0)) return null;
  const { registry, login } = inputs;
  try {
    return await askRegistry(connection, { registry, login, references, signal, onLog: log.host });
  } catch (error) {
    if (!isFailure(error) || signal.aborted) throw error;
    return { error: detailOf(error) };
  }
}
