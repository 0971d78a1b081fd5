import { Failure } from '../failure.ts';
import type { Records } from './records.ts';

/** What stands in the backup folders. */
export interface SetsSurvey {
  /** Another text where a set in a tier has come, gone or changed. */
  state: string;
  files: { bytes: number; path: string }[];
  /** How many files of others there are besides those in `files`, where there are very many. */
  othersUnnamed: number;
  /**
   * By path below the backup folder, without the lists of tables and sequences, which may be long. One that could not be
   * read is not among them. Untrusted.
   */
  manifests: Map<string, string>;
}

/**
 * So much the host reads of a manifest: from its begin, up to the lists of tables and sequences, and back from its end to
 * what follows them. Bytes.
 */
export const longestHead = 16_384;
export const longestTail = 262_144;

/** Of those who can do nothing without it. @throws Failure `survey-incomplete` */
export function demandSets(sets: SetsSurvey | { error: string } | null): SetsSurvey {
  if (sets === null) throw new Error('The survey was not asked to look at the backups');
  if ('error' in sets) throw new Failure('survey-incomplete', sets.error);
  return sets;
}

/** null where it was not asked for; an error where not all of it could be looked at. */
export function readSets(records: Records): SetsSurvey | { error: string } | null {
  const state = records.find('sets-state');
  const error = records.find('sets-error');
  if (state === undefined) return null;
  if (error !== undefined) return { error };
  const files = records.all('file').map((value) => {
    const space = value.indexOf(' ');
    return { bytes: Number(value.slice(0, space)), path: value.slice(space + 1) };
  });
  return {
    state,
    files,
    othersUnnamed: Number(records.find('others-unnamed') ?? 0),
    manifests: readManifests(records),
  };
}

/** A manifest stands under one of its names in both texts; the links say which others it has. */
function readManifests(records: Records): Map<string, string> {
  const heads = sectionsOf(records.find('manifest-heads') ?? '');
  const tails = sectionsOf(records.find('manifest-tails') ?? '');
  const manifests = new Map<string, string>();
  const byInode = new Map<string, string | null>();
  for (const link of (records.find('manifest-links') ?? '').split('\n')) {
    const [inode = '', path = ''] = link.split(' ');
    if (!byInode.has(inode)) byInode.set(inode, joined(heads.get(path) ?? null, tails.get(path) ?? null));
    const text = byInode.get(inode) ?? null;
    if (text !== null) manifests.set(path, text);
  }
  return manifests;
}

/**
 * As `head -v` and `tail -v` write several files, by name. A name that comes twice was forged by what stands in a file:
 * then nobody knows which is which.
 */
function sectionsOf(text: string): Map<string, string | null> {
  const sections = new Map<string, string | null>();
  const [, ...parts] = text.split(/^==> (.*) <==$/m);
  for (let at = 0; at + 1 < parts.length; at += 2) {
    const [name = '', content = ''] = parts.slice(at, at + 2);
    sections.set(name, sections.has(name) ? null : content.slice(1));
  }
  return sections;
}

/**
 * What stands before the lists and what stands behind them is the manifest without them: JSON again, for which a list of
 * tables begins a line, and the large objects are what follows.
 */
export function joined(head: string | null, tail: string | null): string | null {
  if (head === null) return null;
  const lists = head.search(/^ {2}"tables": \[/m);
  if (lists >= 0) return tail === null ? null : head.slice(0, lists) + tail;
  return head.length < longestHead ? head : null;
}
