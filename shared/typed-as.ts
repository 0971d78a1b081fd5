import { userInfo } from 'node:os';
import { Failure, isFailure } from './failure.ts';

/** The advice with the user of the host who types its commands, where it says only that they are typed on the host. */
export function typedAs(user: string, advice: string): string {
  return advice.replace(/\b[Oo]n the host(?=(?:, run)?: )/g, (where) => `${where}, as ${user}`);
}

/**
 * The same for what a failure says to do. What is raised on the way need not know who is logged in.
 * @param ssh null where the runner is the host
 */
export function failureTypedAs(ssh: { user: string } | null, error: unknown): unknown {
  if (!isFailure(error) || error.hint === undefined) return error;
  const user = ssh?.user ?? runnersUser();
  const hint = user === null ? error.hint : typedAs(user, error.hint);
  return hint === error.hint ? error : new Failure(error.code, error.message, { hint, cause: error.cause });
}

/** null where the system has no name for it, as in a container that runs under any number. */
function runnersUser(): string | null {
  try {
    return userInfo().username;
  } catch {
    return null;
  }
}
