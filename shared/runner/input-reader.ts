import * as core from '@actions/core';
import { cleanLine } from '../clean.ts';
import { Failure, InputError } from '../failure.ts';
import type { Grammar } from './grammar.ts';

/** An operator's log shows at most this much of a bad value. */
const shownLength = 80;

/** The runner masks a secret wherever it stands: one of fewer characters would shred the log and hide nothing. */
const shortestMask = 4;

/** Reads the inputs that the workflow gave. An input of white space alone counts as not given. */
export interface InputReader {
  /** @param hint what to do where it is not given; by default the grammar's */
  required<T>(name: string, grammar: Grammar<T>, hint?: string): T;
  /** null where it is not given. */
  optional<T>(name: string, grammar: Grammar<T>): T | null;
  /** The default holds also where the workflow gives an empty value, as an unset variable does. */
  withDefault<T>(name: string, grammar: Grammar<T>, value: NoInfer<T>): T;
  /** The same, where an empty value that the workflow gives has a meaning of its own. */
  withEmpty<T>(name: string, grammar: Grammar<T>, empty: NoInfer<T>, value: NoInfer<T>): T;
  /**
   * A secret exactly as given, since a private key needs its last line break; null where it is not given. From here on
   * it is masked in the log, and gone from the environment that children of this process inherit.
   */
  secret(name: string): string | null;
  /** A rule beyond the grammar of one input: the InputError that it throws is reported with the others. */
  rule<T>(read: () => T): T;
}

/**
 * Reads inputs into the object that `read` makes of them. Every bad one is reported, not just the first: each try costs
 * the operator a run. `read` may throw an InputError itself, for rules that concern several inputs.
 * @throws InputError for one bad input, Failure `bad-input` for several
 */
export function readInputs<T>(read: (input: InputReader) => T): T {
  const problems: InputError[] = [];
  const result = noting(problems, () => read(reader(problems)));

  const [first, ...others] = problems;
  if (first === undefined) return result;
  throw others.length === 0 ? first : severalProblems(problems);
}

/** Masks a value in the log from here on: for what is derived from a secret, such as the password within a URL. */
export function mask(secret: string): void {
  // Line by line, since the runner compares lines, and would mask short ones of a whole text as well.
  for (const line of secret.split(/\r?\n/)) {
    if (line.trim().length >= shortestMask) core.setSecret(line.trim());
  }
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
      // The runner fills a declared default in only where the workflow does not name the input.
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
 * Notes a bad input and goes on with nothing in its place. The gap never leaves `readInputs`, which throws what was
 * noted; a rule that trips over a gap says nothing new.
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
