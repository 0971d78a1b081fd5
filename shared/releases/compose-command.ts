import { quoteForShell } from '../shell-quote.ts';
import type { ComposeCall } from '../survey/compose-call.ts';

/** Where an operator calls compose, and how. */
export interface OperatorsCall {
  deployDir: string;
  /** null for the one that compose finds by itself. */
  projectName: string | null;
  call: ComposeCall;
}

/** The compose command as an operator would type it, for hints: who types it, where, and with which files. */
export function composeCommand({ deployDir, projectName, call }: OperatorsCall, user: string): string {
  const { files, envFiles, projectDirectory, profiles, variables } = call;
  const words = [
    ...(projectName === null ? [] : ['--project-name', projectName]),
    ...(projectDirectory === null ? [] : ['--project-directory', projectDirectory]),
    ...envFiles.flatMap((file) => ['--env-file', file]),
    ...profiles.flatMap((profile) => ['--profile', profile]),
    ...files.flatMap((file) => ['-f', file]),
  ].map(quoteForShell);
  const set = variables.map(({ name, value }) => `${name}=${quoteForShell(value)}`);
  return `On the host, as ${user}: ${['cd', quoteForShell(deployDir), '&&', ...set, 'docker compose', ...words].join(' ')}`;
}
