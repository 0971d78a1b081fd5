import { Failure } from '../failure.ts';
import type { ComposeSurvey } from '../survey/survey-compose.ts';

/**
 * Demands the compose files from which the containers were created: with others, a rollback would start something that was
 * never deployed.
 * @throws Failure `other-files` that names both
 */
export function demandDeployedFiles(
  { call, otherFiles, missingFiles }: Pick<ComposeSurvey, 'call' | 'otherFiles' | 'missingFiles'>,
  given: readonly string[],
): void {
  if (missingFiles.length > 0 && given.length === 0) {
    throw new Failure(
      'other-files',
      `The containers were started from ${missingFiles.join(', ')}, which cannot be read on the host`,
      { hint: 'Put the files back, or name those that a deployment uses: compose-file' },
    );
  }
  if (otherFiles.length === 0) return;
  throw new Failure(
    'other-files',
    `"compose-file" names ${call.files.join(', ')}, but the containers were started from ${otherFiles.join(', ')}`,
    {
      hint: 'Leave "compose-file" empty to use those, or give the same ones; or deploy once with the files that you want',
    },
  );
}

/** What to tell of files from which the containers were created, and which the host no longer has; null if there are none. */
export function describeMissingFiles({
  call,
  missingFiles,
}: Pick<ComposeSurvey, 'call' | 'missingFiles'>): string | null {
  if (missingFiles.length === 0) return null;
  const used = call.files.length === 0 ? 'no compose file was found' : `${call.files.join(', ')} is used`;
  return `The containers were started from ${missingFiles.join(', ')}, which cannot be read on the host; ${used}`;
}
