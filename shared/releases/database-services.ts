import type { Survey } from '../survey/survey.ts';

/**
 * The services that are databases. No rollback touches them, and their health says nothing about a release.
 * @param named the input "db-service"
 */
export function databaseServices(
  { candidates }: Pick<Survey, 'candidates'>,
  named: string | null,
): ReadonlySet<string> {
  return new Set([...candidates.map(({ service }) => service), ...(named === null ? [] : [named])]);
}
