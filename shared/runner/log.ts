import { AsyncLocalStorage } from 'node:async_hooks';
import * as core from '@actions/core';
import { cleanLine, cleanLines } from '../clean.ts';

// The log as an operator reads it on GitHub. Every text is cleaned here, at the edge, since any may carry foreign words;
// colours are added after that. There is no terminal, but GitHub shows colours all the same.

/** GitHub cuts an annotation at 4096 characters. */
const longestAnnotation = 4_000;

let groupIsOpen = false;

/** What `work` logs can be folded away under `title`. Groups do not nest: an inner one ends the outer. */
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

/** Ends the group that is open, so that what follows is seen without unfolding it. */
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

/** A check that passed, failed, or leaves a doubt; the caller gives the line its mark. */
export function passed(text: string): void {
  print(text, green);
}

export function failed(text: string): void {
  print(text, red);
}

export function doubtful(text: string): void {
  print(text, yellow);
}

/** How far long work has come. The caller decides how often. */
export function progress(text: string): void {
  print(text, (line) => grey(`… ${line}`));
}

/** What the host printed, so marked that nobody takes it for ours. */
export function host(text: string): void {
  print(text, (line) => `${grey('host │')} ${line}`);
}

/** Something to read now: bold, without an annotation. */
export function important(text: string): void {
  print(text, bold);
}

/** An annotation: something failed. At most 10 of each kind are kept for a step. */
export function error(text: string, title?: string): void {
  aloud(() => core.error(annotation(text), annotationTitle(title)));
}

/** An annotation: something needs a hand soon. */
export function warning(text: string, title?: string): void {
  aloud(() => core.warning(annotation(text), annotationTitle(title)));
}

/** An annotation: something worth knowing beyond the log. */
export function notice(text: string, title?: string): void {
  aloud(() => core.notice(annotation(text), annotationTitle(title)));
}

/** Whether what is written now comes from a library that was asked to be quiet. */
const quiet = new AsyncLocalStorage<boolean>();
let filtered = false;

/**
 * Libraries tell each step of theirs in our log, and their failures as annotations. What they print within `work` is left
 * out, but for the secrets that they mask; with debug logging all of it is seen.
 */
export function quietly<T>(work: () => Promise<T>): Promise<T> {
  if (core.isDebug()) return work();
  if (!filtered) filterOutput();
  filtered = true;
  return quiet.run(true, work);
}

function filterOutput(): void {
  const write = process.stdout.write.bind(process.stdout) as (...args: unknown[]) => boolean;
  process.stdout.write = (chunk: unknown, ...rest: unknown[]) => {
    const dropped = quiet.getStore() === true && !String(chunk).startsWith('::add-mask::');
    return write(dropped ? '' : chunk, ...rest);
  };
}

/** What we say ourselves is always seen. */
function aloud(write: () => void): void {
  quiet.run(false, write);
}

function print(text: string, dress: (line: string) => string): void {
  aloud(() => {
    // In one piece: Node cannot write millions of them that a slow runner has not taken yet ("write EINVAL").
    const lines = cleanLines(text);
    if (lines.length > 0) core.info(lines.map(dress).join('\n'));
  });
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
