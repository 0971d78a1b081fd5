import { Failure } from '../failure.ts';
import { folderIdDamaged } from '../host/backup-folder.ts';
import type { Records } from '../host/records.ts';

/** What is in the backup folders. */
export interface SetsSurvey {
  /** A text that changes whenever a set in a tier is added, removed or changed. */
  state: string;
  files: { bytes: number; path: string }[];
  /** How many foreign files are not listed in `files`, because there are very many. */
  othersUnnamed: number;
  /**
   * By path relative to the backup folder, without the lists of tables and sequences, which may be long. Unreadable ones
   * are missing. Untrusted.
   */
  manifests: Map<string, string>;
  /** Those of the backup folder, by which its copies off the host are known; none if it has none; null if the file is damaged. */
  folderIds: readonly string[] | null;
}

/**
 * How many bytes of a manifest the host reads: at most `longestHead` from the beginning, up to the lists of tables and
 * sequences, and `longestTail` at the end, for what follows these lists.
 */
export const longestHead = 16_384;
export const longestTail = 262_144;

/** For callers that need the sets. @throws Failure `survey-incomplete` */
export function demandSets(sets: SetsSurvey | { error: string } | null): SetsSurvey {
  if (sets === null) throw new Error('The survey was not asked to look at the backups');
  if ('error' in sets) throw new Failure('survey-incomplete', sets.error);
  return sets;
}

/** The ids of the backup folder; none if it has none. @throws Failure `folder-id-damaged` */
export function demandFolderIds({ folderIds }: SetsSurvey, backupDir: string): readonly string[] {
  if (folderIds === null) throw folderIdDamaged(backupDir);
  return folderIds;
}

/** null if the survey was not asked for it; an error if not everything could be examined. */
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
    folderIds: records.find('folder-ids') === 'damaged' ? null : records.lines('folder-ids'),
  };
}

/** Both texts have each manifest under one of its names; the links list its other names. */
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
 * Splits the output of `head -v` or `tail -v` for several files, by name. If a name occurs twice, the content of a file
 * imitates a header: then both are dropped, since nobody can tell which is which.
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
 * Joins the parts before and after the long lists into a manifest without them, which is JSON again: the list of tables
 * begins a line, and `largeObjects` is the first field after the lists.
 */
export function joined(head: string | null, tail: string | null): string | null {
  if (head === null) return null;
  const lists = head.search(/^ {2}"tables": \[/m);
  if (lists >= 0) return tail === null ? null : head.slice(0, lists) + tail;
  return head.length < longestHead ? head : null;
}
