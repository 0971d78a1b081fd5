import type { FailureCode } from './failure-codes.ts';

/** What a failure tells besides its message. */
export interface FailureDetails {
  /** What to type or change next, for the operator; ends without a full stop where it ends in a command. */
  hint?: string;
  /** The foreign error or text behind it; printed below the message, cleaned. */
  cause?: unknown;
}

/**
 * A failure that is understood: `code` names it for programs and tests (kebab-case), `message` says what happened,
 * `hint` what to do about it. Whatever else is thrown is a defect of ours and is reported as one.
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

/** Whether it is a failure that is understood; with codes: one of these. */
export function isFailure(error: unknown, ...codes: readonly FailureCode[]): error is Failure {
  return error instanceof Failure && (codes.length === 0 || codes.includes(error.code));
}

/** An input that cannot be used. Thrown before anything is touched; never holds the value of a secret. */
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
