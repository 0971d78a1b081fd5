import { Failure, isFailure } from './failure.ts';

/** The advice with the user of the host who types its commands, where it says only that they are typed on the host. */
export function typedAs(user: string, advice: string): string {
  return advice.replace(/\b[Oo]n the host(?=(?:, run)?: )/g, (where) => `${where}, as ${user}`);
}

/** The same for what a failure says to do. What is raised on the way need not know who is logged in. */
export function failureTypedAs(user: string | null, error: unknown): unknown {
  if (user === null || !isFailure(error) || error.hint === undefined) return error;
  const hint = typedAs(user, error.hint);
  return hint === error.hint ? error : new Failure(error.code, error.message, { hint, cause: error.cause });
}
