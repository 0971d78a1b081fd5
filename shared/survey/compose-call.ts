import { dirname, isAbsolute, join } from 'node:path';

/** How `docker compose` is called for a project, in the deploy folder. */
export interface ComposeCall {
  /** Relative to the deploy folder, or absolute. */
  files: string[];
  /** Empty for compose's own, `.env`. */
  envFiles: string[];
  /** null for the folder of the first file. */
  projectDirectory: string | null;
  profiles: string[];
  /** Variables that only the deployer's shell had, with the values that the containers show. */
  variables: { name: string; value: string }[];
}

/** The lines by which programs on the host call compose: see compose_command in project-state.sh. */
export function composeLines(call: Partial<ComposeCall>): string[] {
  const { files = [], envFiles = [], projectDirectory = null, profiles = [], variables = [] } = call;
  return [
    ...files.map((file) => `file ${file}`),
    ...envFiles.map((file) => `env-file ${file}`),
    ...(projectDirectory === null ? [] : [`project-directory ${projectDirectory}`]),
    ...profiles.map((profile) => `profile ${profile}`),
    ...variables.map(({ name, value }) => `variable ${name}=${value}`),
  ];
}

/** Reads such lines. */
export function readComposeCall(lines: readonly string[]): ComposeCall {
  const after = (kind: string) =>
    lines.filter((line) => line.startsWith(`${kind} `)).map((line) => line.slice(kind.length + 1));
  return {
    files: after('file'),
    envFiles: after('env-file'),
    projectDirectory: after('project-directory')[0] ?? null,
    profiles: after('profile'),
    variables: after('variable').map((line) => {
      const at = line.indexOf('=');
      return { name: line.slice(0, at), value: line.slice(at + 1) };
    }),
  };
}

/** A path in the deploy folder, or an absolute one. */
export function absolute(path: string, deployDir: string): string {
  return isAbsolute(path) ? path : join(deployDir, path);
}

/** The folder of the project, from which compose reads relative paths. */
export function projectFolder({ projectDirectory, files }: ComposeCall, deployDir: string): string {
  return absolute(projectDirectory ?? dirname(files[0] ?? ''), deployDir);
}

/** The env files that compose reads; compose does without its own one if that does not exist. */
export function envFilesOf(call: ComposeCall, deployDir: string): string[] {
  if (call.envFiles.length > 0) return call.envFiles.map((file) => absolute(file, deployDir));
  return [join(projectFolder(call, deployDir), '.env')];
}
