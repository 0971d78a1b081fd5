import type { Group } from '../shared/drill/finding.ts';
import { gatherHistory, type HistoryMirror, type KnownHistory } from '../shared/history/known-history.ts';
import type { Connection } from '../shared/host/connection.ts';
import { insideScript } from '../shared/postgres/scripts.ts';
import { surveyProject } from '../shared/releases/survey-project.ts';
import type { WorkflowContext } from '../shared/runner/context.ts';
import * as log from '../shared/runner/log.ts';
import { type Catalogue, catalogueOf } from '../shared/sets/catalogue.ts';
import { databaseIn } from '../shared/sets/last-good.ts';
import { layoutLines } from '../shared/sets/layout.ts';
import { type Survey, survey } from '../shared/survey/survey.ts';
import { demandSets, type SetsSurvey } from '../shared/survey/survey-sets.ts';
import type { VerifyInputs } from './inputs.ts';
import type { VerifyOutputs } from './outputs.ts';

/** What is fixed from the start of a run. */
export interface Verification {
  inputs: VerifyInputs;
  workflow: WorkflowContext;
  signal: AbortSignal;
  outputs: VerifyOutputs;
  mirror: HistoryMirror;
  mirrored: ReturnType<HistoryMirror['load']>;
}

/** What the survey found: the input of all checks. */
export interface SurveyedHost {
  seen: Survey;
  sets: SetsSurvey;
  catalogue: Catalogue;
  knownHistory: KnownHistory;
  copyNotices: string[];
  /** On the host's clock. */
  now: Date;
}

/** Surveys the host once, for all groups of checks. */
export async function look(connection: Connection, { inputs, signal, mirrored }: Verification): Promise<SurveyedHost> {
  const asks = (...groups: Group[]) => groups.some((group) => inputs.checks.includes(group));
  const request = { ...inputs, probe: insideScript(), layout: layoutLines, sets: true, setup: asks('setup') };
  // Compose takes its time, so only groups that need it ask it.
  const seen = asks('setup', 'deployment')
    ? await surveyProject(connection, request, signal, log.host)
    : await survey(connection, { ...request, compose: null }, signal, log.host);
  const { texts, notices } = await mirrored;
  const sets = demandSets(seen.sets);
  return {
    seen,
    sets,
    catalogue: catalogueOf(sets.files, sets.manifests),
    knownHistory: gatherHistory(inputs.environment, seen.history, seen.auditTrail, texts),
    copyNotices: notices,
    now: new Date(Date.now() + seen.clockAhead),
  };
}

/** The database's name, also if the database is lost. */
export function databaseOf({ seen, catalogue }: SurveyedHost, { databaseName }: VerifyInputs): string | null {
  return databaseIn(seen, catalogue, databaseName);
}
