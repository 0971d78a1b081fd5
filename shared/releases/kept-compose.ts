import { Failure, isFailure } from '../failure.ts';
import type { Connection } from '../host/connection.ts';
import type { Program } from '../host/program.ts';
import { type ComposeCall, composeLines } from '../survey/compose-call.ts';

/** The configuration of a release, as the host has kept it. */
export interface KeptCompose {
  /** `docker compose config --format json` of that time; contains secrets. */
  config: string;
  /** As in ComposeSurvey. */
  values: string;
  projectState: string;
  call: ComposeCall;
  /** The files that it was made from, absolute. */
  files: string[];
}

export const keeping: Program<{
  backup_dir: string;
  id: string;
  config: string;
  files: readonly string[];
  env_files: readonly string[];
}> = {
  name: 'keep-compose',
  step: 'keeping the compose files',
  scripts: [new URL('./keep-compose.sh', import.meta.url)],
};
export const reading: Program<{
  backup_dir: string;
  deploy_dir: string;
  id: string;
  project: string;
  directory: string;
  env_lines: readonly string[];
}> = {
  name: 'read-kept',
  step: 'reading the kept compose files',
  scripts: [
    new URL('../survey/docker-template.sh', import.meta.url),
    new URL('../survey/project-state.sh', import.meta.url),
    new URL('./read-kept.sh', import.meta.url),
  ],
};

/** What is kept of a release. Paths are absolute. */
export interface ComposeToKeep {
  backupDir: string;
  id: string;
  config: string;
  files: readonly string[];
  /** Those that do not exist are passed over. */
  envFiles: readonly string[];
}

/**
 * Keeps the compose files and the configuration of a release on the host, beside its history.
 * @param id of the settings: see settings-hash.ts
 * @returns the folder on the host
 * @throws Failure `write-failed`
 */
export async function keepCompose(
  connection: Connection,
  { backupDir, id, config, files, envFiles }: ComposeToKeep,
  onLog: (line: string) => void,
): Promise<string> {
  const parameters = { backup_dir: backupDir, id, config, files, env_files: envFiles };
  return (await connection.run(keeping, parameters, { deadline: 60_000, atEnd: 'finish', onLog }).result).get('kept');
}

/** @param directory the folder of the project, absolute @returns null if the host has not kept it */
export async function readKept(
  connection: Connection,
  where: {
    backupDir: string;
    deployDir: string;
    id: string;
    project: string;
    directory: string;
    call: Pick<ComposeCall, 'envFiles'>;
  },
  signal: AbortSignal,
  onLog: (line: string) => void,
): Promise<KeptCompose | null> {
  const { backupDir, deployDir, id, project, directory } = where;
  const env_lines = composeLines({ envFiles: where.call.envFiles });
  const parameters = { backup_dir: backupDir, deploy_dir: deployDir, id, project, directory, env_lines };
  try {
    const records = await connection.run(reading, parameters, { deadline: 60_000, atEnd: 'end', signal, onLog }).result;
    const config = records.get('config');
    if (config.trim() === '') throw unusable(id);
    return {
      config,
      values: records.find('values') ?? '',
      projectState: records.get('project-state').trim(),
      call: {
        files: [`${backupDir}/rollback/compose/${id}/config.json`],
        envFiles: where.call.envFiles,
        projectDirectory: directory,
        // Which of them are on is not known: services without a container are left alone anyway.
        profiles: ['*'],
        variables: [],
      },
      files: records
        .get('files')
        .split('\n')
        .filter((line) => line !== ''),
    };
  } catch (error) {
    if (isFailure(error, 'not-kept')) return null;
    throw error;
  }
}

function unusable(id: string): Failure {
  return new Failure('bad-compose-config', `Compose cannot read the configuration that was kept as ${id}`, {
    hint: "Set compose: current, or compare the files in rollback/compose of the backup folder with today's",
  });
}
