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
  readonly code: string;
  readonly hint: string | undefined;

  constructor(code: string, message: string, details: FailureDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'Failure';
    this.code = code;
    this.hint = details.hint;
  }
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
