import { judgeHost } from '../shared/backups/host-checks.ts';
import { Failure } from '../shared/failure.ts';
import type { Connection } from '../shared/host/connection.ts';
import { insideScript } from '../shared/postgres/scripts.ts';
import { surveyProject } from '../shared/releases/survey-project.ts';
import * as log from '../shared/runner/log.ts';
import { layoutLines } from '../shared/sets/layout.ts';
import type { Survey } from '../shared/survey/survey.ts';
import { demandJournals, endUnfinished } from '../shared/transaction/unfinished.ts';
import type { CreatingRun } from './dropped-database.ts';
import type { RollbackInputs } from './inputs.ts';

/** The run that looks. */
interface LookingRun extends CreatingRun {
  inputs: RollbackInputs;
}

/** Surveys the host, after finishing whatever an earlier run left unfinished. */
export async function look(connection: Connection, run: LookingRun): Promise<Survey> {
  const { inputs, signal } = run;
  return log.group(`Survey of ${connection.name}`, async () => {
    const once = (databaseName = inputs.databaseName) =>
      surveyProject(
        connection,
        {
          ...inputs,
          databaseName,
          probe: insideScript(),
          // Without a backup, the state of the backup folders must not stop the rollback: the guard only asks what is there.
          sets: (!inputs.skipBackup && !inputs.planOnly) || inputs.restore !== null || inputs.schemaGuard !== 'off',
          setup: false,
          layout: layoutLines,
        },
        signal,
        log.host,
      );
    const withDatabase = async (found: Survey) => {
      if (inputs.restore === null) return found;
      const { createDropped } = await import('./dropped-database.ts');
      return createDropped(connection, found, inputs, (name) => once(name ?? inputs.databaseName), run);
    };
    const seen = await once();
    judgeHost(seen, inputs);
    demandJournals(seen, inputs.backupDir);
    if (seen.unfinished.length === 0) return withDatabase(seen);
    if (seen.lockHolder !== null) throw underWay(seen.unfinished, seen.lockHolder);
    if (inputs.planOnly) {
      log.warning(
        `An earlier rollback is unfinished: ${seen.unfinished.join(', ')}. The next rollback will finish it first`,
      );
      return seen;
    }
    await endUnfinished(connection, inputs.backupDir, seen.unfinished, { deadline: inputs.timeout, signal }, log);
    const again = await once();
    judgeHost(again, inputs);
    return withDatabase(again);
  });
}

function underWay(ids: readonly string[], holder: string): Failure {
  return new Failure('rollback-under-way', `Another rollback is running: ${ids.join(', ')}, by ${holder}`, {
    hint: 'Wait until it has finished. Start this one again only if it did not give you the release you want',
  });
}
