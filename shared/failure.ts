import type { FailureCode } from './failure-codes.ts';

/** What a failure says besides its message. */
export interface FailureDetails {
  /** What the operator should type or change next; has no full stop at the end, because it may end in a command. */
  hint?: string;
  /** The foreign error or text that caused it; printed below the message, cleaned. */
  cause?: unknown;
}

/**
 * A failure that we understand: `code` names it for programs and tests (kebab-case), `message` says what happened,
 * `hint` says what to do about it. Anything else that is thrown is a bug of ours and is reported as one.
 */
export class Failure extends Error {
  readonly code: FailureCode;
  readonly hint: string | undefined;

  constructor(code: FailureCode, message: string, details: FailureDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'Failure';
    this.code = code;
    this.hint = details.hint;
  }
}

/** True for a Failure; with codes, for a Failure with one of them. */
export function isFailure(error: unknown, ...codes: readonly FailureCode[]): error is Failure {
  return error instanceof Failure && (codes.length === 0 || codes.includes(error.code));
}

/** An invalid input. Thrown before anything is touched; never contains the value of a secret. */
export class InputError extends Failure {
  readonly field: string;
  readonly reason: string;

  constructor(field: string, reason: string, hint: string) {
    super('bad-input', `Input "${field}" ${reason}`, { hint });
    this.name = 'InputError';
    this.field = field;
    this.reason = reason;
  }
}
