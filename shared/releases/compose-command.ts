import { quoteForShell } from '../shell-quote.ts';

/** How compose is called: the inputs that say so. */
export interface ComposeCall {
  deployDir: string;
  /** Relative to `deployDir`. */
  composeFiles: readonly string[];
  /** null for compose's own default, `.env`. */
  envFile: string | null;
  projectName: string | null;
}

/** The compose command as an operator would type it, for hints: who types it, where, and with which files. */
export function composeCommand({ deployDir, composeFiles, envFile, projectName }: ComposeCall, user: string): string {
  const words = [
    ...(projectName === null ? [] : ['--project-name', projectName]),
    ...(envFile === null ? [] : ['--env-file', envFile]),
    ...composeFiles.flatMap((file) => ['-f', file]),
  ];
  const command = ['cd', quoteForShell(deployDir), '&& docker compose', ...words.map(quoteForShell)].join(' ');
  return `On the host, as ${user}: ${command}`;
}
