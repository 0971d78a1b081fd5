import * as core from '@actions/core';
import { cleanLine } from '../clean.ts';
import { Failure, InputError } from '../failure.ts';
import type { Grammar } from './grammar.ts';
import { mask } from './secrets.ts';

/** How much of a bad value the log shows. */
const shownLength = 80;

/** Reads the inputs that the workflow gave. An input of only white space counts as not given. */
export interface InputReader {
  /** @param hint what to do if it is not given; by default the hint of the grammar */
  required<T>(name: string, grammar: Grammar<T>, hint?: string): T;
  /** null if it is not given. */
  optional<T>(name: string, grammar: Grammar<T>): T | null;
  /** The default also applies to an empty value, such as that of an unset variable. */
  withDefault<T>(name: string, grammar: Grammar<T>, value: NoInfer<T>): T;
  /** The same, but an empty value from the workflow has a meaning of its own. */
  withEmpty<T>(name: string, grammar: Grammar<T>, empty: NoInfer<T>, value: NoInfer<T>): T;
  /**
   * A secret exactly as given, because a private key needs its last line break; null if it is not given. Masks it in the log
   * from here on, and removes it from the environment of child processes.
   */
  secret(name: string): string | null;
  /** Checks a rule beyond the grammar of one input. An InputError that it throws is reported with the others. */
  rule<T>(read: () => T): T;
}

/**
 * Reads inputs into the object that `read` returns. Reports every bad input, not just the first, because each attempt costs
 * the operator a run. `read` may throw an InputError itself, for rules about several inputs.
 * @throws InputError for one bad input, Failure `bad-input` for several
 */
export function readInputs<T>(read: (input: InputReader) => T): T {
  const problems: InputError[] = [];
  const result = noting(problems, () => read(reader(problems)));

  const [first, ...others] = problems;
  if (first === undefined) return result;
  throw others.length === 0 ? first : severalProblems(problems);
}

function reader(problems: InputError[]): InputReader {
  const readText = (name: string) => core.getInput(name);
  const parse = <T>(name: string, grammar: Grammar<T>, text: string) =>
    noting(problems, () => parsed(name, grammar, text));

  return {
    required(name, grammar, hint = grammar.hint) {
      const text = readText(name);
      if (text !== '') return parse(name, grammar, text);
      return noting(problems, () => {
        throw new InputError(name, 'is required and was not given', hint);
      });
    },
    optional(name, grammar) {
      const text = readText(name);
      return text === '' ? null : parse(name, grammar, text);
    },
    withDefault(name, grammar, value) {
      const text = readText(name);
      return text === '' ? value : parse(name, grammar, text);
    },
    withEmpty(name, grammar, empty, value) {
      // The runner uses a declared default only if the workflow does not name the input.
      if (process.env[`INPUT_${name.toUpperCase()}`] === undefined) return value;
      const text = readText(name);
      return text === '' ? empty : parse(name, grammar, text);
    },
    secret(name) {
      const secret = core.getInput(name, { trimWhitespace: false });
      if (secret.trim() === '') return null;
      mask(secret);
      delete process.env[`INPUT_${name.toUpperCase()}`];
      return secret;
    },
    rule: (read) => noting(problems, read),
  };
}

function parsed<T>(name: string, grammar: Grammar<T>, text: string): T {
  try {
    return grammar.parse(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new InputError(name, `${error.message} (given: "${cleanLine(text, shownLength)}")`, grammar.hint);
  }
}

/**
 * Notes a bad input and continues with undefined in its place. This gap never leaves `readInputs`, which throws the noted
 * errors. Another error that follows from a gap is ignored.
 */
function noting<T>(problems: InputError[], read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof InputError) problems.push(error);
    else if (problems.length === 0) throw error;
    return undefined as T;
  }
}

function severalProblems(problems: InputError[]): Failure {
  const reasons = problems.map(({ field, reason }) => `"${field}" ${reason}`);
  const hints = problems.map(({ field, hint }) => `${field}: ${hint}`);
  return new Failure('bad-input', `${problems.length} inputs cannot be used: ${reasons.join('; ')}`, {
    hint: hints.join('\n'),
  });
}
