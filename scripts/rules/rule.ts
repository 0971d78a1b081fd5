/** A rule, and how to take it out. */
export interface Rule {
  /** What holds as long as the rule is there. */
  rule: string;
  file: string;
  /** What is taken out; it occurs once in the file. */
  text: string;
  /** What takes its place; nothing where it is left out. */
  instead?: string;
  /** The file of the tests that must fail. */
  test: string;
  /** A pattern of the names of those to run; all of the file where it is left out. */
  named?: string;
}

/** The source without the rule; null if the rule does not stand there exactly once. */
export function withoutRule(source: string, { text, instead = '' }: Rule): string | null {
  const [before, after, ...more] = source.split(text);
  return before === undefined || after === undefined || more.length > 0 ? null : `${before}${instead}${after}`;
}
