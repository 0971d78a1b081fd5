import type { PasswordVariable, ServerAccess } from '../postgres/probe.ts';
import { quoteForShell } from '../shell-quote.ts';

/** Where a command reaches the database server from within its container. */
export interface DatabaseContainer {
  /** Name or id of the database's container. */
  container: string;
  access: ServerAccess;
}

/** The words before a command that is to reach the server: its password is read in the container, and stays there. */
export function inContainer({ container, access }: DatabaseContainer, ...options: string[]): string[] {
  const { place, password } = access;
  const where = place === null ? [] : ['--env', `PGHOST=${place.host}`, '--env', `PGPORT=${place.port}`];
  const without = place?.insteadOf.flatMap((variable) => ['-u', variable]) ?? [];
  const clean = without.length === 0 ? [] : ['env', ...without];
  const secret = password === null ? [] : ['sh', '-c', `export PGPASSWORD=${expansionOf(password)}; exec "$@"`, 'sh'];
  return ['docker', 'exec', ...options, ...where, container, ...clean, ...secret];
}

/** Whether `docker exec CONTAINER` alone is enough. */
export const reachesByItself = ({ access }: DatabaseContainer): boolean =>
  access.place === null && access.password === null;

/** As the container's shell reads it. */
function expansionOf(variable: PasswordVariable): string {
  return variable.endsWith('_FILE') ? `"$(cat "$${variable}")"` : `"$${variable}"`;
}

/** One line to paste into bash. */
export function pastedLine(words: readonly string[]): string {
  return words.map(quoteForShell).join(' ');
}
