import * as core from '@actions/core';

/** The runner masks a secret wherever it occurs: a shorter one would shred the log and hide nothing. */
const shortestMask = 4;

const masked = new Set<string>();

/** Masks a value in the log from here on: a secret, or what is derived from one, such as the password within a URL. */
export function mask(secret: string): void {
  // Line by line: the runner compares lines, and given the whole text, it would also mask its short lines.
  for (const line of secret.split(/\r?\n/).map((each) => each.trim())) {
    if (line.length < shortestMask) continue;
    core.setSecret(line);
    masked.add(line);
  }
}

/** A text without what was masked, for ways out that the runner does not look at: mail, webhooks, artifacts. */
export function withoutSecrets(text: string): string {
  const longestFirst = [...masked].toSorted((a, b) => b.length - a.length);
  return longestFirst.reduce((rest, secret) => rest.replaceAll(secret, '***'), text);
}
