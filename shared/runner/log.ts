import { AsyncLocalStorage } from 'node:async_hooks';
import * as core from '@actions/core';
import { cleanLine, cleanLines } from '../clean.ts';

// Writes the log that operators read on GitHub. Every text is cleaned here, because any may contain foreign text; colours
// are added after that. There is no terminal, but GitHub shows colours anyway.

/** GitHub cuts an annotation off at 4096 characters. */
const longestAnnotation = 4_000;

let groupIsOpen = false;

/** What was already annotated: saying it again helps nobody. */
const annotated = new Map<string, number>();

/** Puts everything that `work` logs into a group that can be folded. Groups do not nest: an inner one ends the outer. */
export async function group<T>(title: string, work: () => Promise<T>): Promise<T> {
  closeGroup();
  aloud(() => core.startGroup(cleanLine(title)));
  groupIsOpen = true;
  try {
    return await work();
  } finally {
    closeGroup();
  }
}

/** Ends the open group, so that the following lines are visible without unfolding it. */
export function closeGroup(): void {
  if (groupIsOpen) aloud(() => core.endGroup());
  groupIsOpen = false;
}

export function info(text: string): void {
  print(text, (line) => line);
}

export function success(text: string): void {
  print(text, (line) => green(`✔ ${line}`));
}

/** For a check that passed, failed, or is doubtful; the caller puts a mark into the line. */
export function passed(text: string): void {
  print(text, green);
}

export function failed(text: string): void {
  print(text, red);
}

export function doubtful(text: string): void {
  print(text, yellow);
}

/** Progress of a long step. The caller decides how often to report it. */
export function progress(text: string): void {
  print(text, (line) => grey(`… ${line}`));
}

/** Output of the host, marked so that nobody takes it for ours. */
export function host(text: string): void {
  print(text, (line) => `${grey('host │')} ${line}`);
}

/** Something important: bold, without an annotation. */
export function important(text: string): void {
  print(text, bold);
}

/** An annotation: something failed. GitHub keeps at most 10 of each kind for a step. */
export function error(text: string, title?: string): void {
  annotate(core.error, 3, text, title);
}

/** An annotation: something needs attention soon. */
export function warning(text: string, title?: string): void {
  annotate(core.warning, 2, text, title);
}

/** An annotation: something worth knowing beyond the log. */
export function notice(text: string, title?: string): void {
  annotate(core.notice, 1, text, title);
}

/** Hears what a library prints that should be quiet; null for output that comes from elsewhere. */
const quiet = new AsyncLocalStorage<((text: string) => void) | null>();
let filtered = false;

/**
 * Libraries write each of their steps into our log, and their failures as annotations. Drops everything they print within
 * `work`, except commands that mask a secret. With debug logging, everything is visible.
 * @param heard gets what they print: the only place where some of them say why they failed
 */
export function quietly<T>(work: () => Promise<T>, heard: (text: string) => void = () => {}): Promise<T> {
  if (!filtered) filterOutput();
  filtered = true;
  return quiet.run(heard, work);
}

function filterOutput(): void {
  const write = process.stdout.write.bind(process.stdout) as (...args: unknown[]) => boolean;
  process.stdout.write = (chunk: unknown, ...rest: unknown[]) => {
    const text = String(chunk);
    const heard = quiet.getStore();
    const isTheirs = heard != null && !text.startsWith('::add-mask::');
    if (isTheirs) heard(text);
    return write(isTheirs && !core.isDebug() ? '' : chunk, ...rest);
  };
}

/** Writes our own output, which is never dropped. */
function aloud(write: () => void): void {
  quiet.run(null, write);
}

function print(text: string, dress: (line: string) => string): void {
  aloud(() => {
    // In one piece: Node fails ("write EINVAL") with millions of writes that a slow runner has not read yet.
    const lines = cleanLines(text);
    if (lines.length > 0) core.info(lines.map(dress).join('\n'));
  });
}

/** @param rank how bad it is: what was only a warning may turn out to be an error, and is then told again */
function annotate(write: typeof core.error, rank: number, text: string, title: string | undefined): void {
  const message = annotation(text);
  if ((annotated.get(message) ?? 0) >= rank) return;
  annotated.set(message, rank);
  aloud(() => write(message, annotationTitle(title)));
}

function annotation(text: string): string {
  return cleanLines(text).join('\n').slice(0, longestAnnotation).toWellFormed();
}

function annotationTitle(title: string | undefined): core.AnnotationProperties {
  return title === undefined ? {} : { title: cleanLine(title) };
}

function bold(line: string): string {
  return `\x1b[1m${line}\x1b[0m`;
}

function green(line: string): string {
  return `\x1b[32m${line}\x1b[0m`;
}

function red(line: string): string {
  return `\x1b[31m${line}\x1b[0m`;
}

function yellow(line: string): string {
  return `\x1b[33m${line}\x1b[0m`;
}

function grey(line: string): string {
  return `\x1b[90m${line}\x1b[0m`;
}
