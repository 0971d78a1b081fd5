/** Where people find the sources of a release. */
export interface Source {
  /** `https://github.com/owner/name`. */
  url: string;
  /** The release's tag. */
  tag: string;
  /** The folder that the README is in, relative to the root of the sources. */
  folder: string;
}

/** Files that a mirror copies from the root of the sources. */
export const shippedFiles = ['LICENSE'];

const imageEnding = /\.(png|jpe?g|gif|svg|webp)$/i;

/** An inline link or picture, a definition of one, and HTML's. */
const links = [
  /(\]\()(<?)([^)\s>]+)(>?)/g,
  /(^ {0,3}\[[^\]\n]+\]:\s*)(<?)([^\s>]+)(>?)/gm,
  /(\b(?:href|src|srcset)=)(["'])([^"'\s]+)(["'])/g,
];

/**
 * The README of an action for the action's own repository: links that leave its folder lead to the sources, at the release's
 * tag. Code is left alone.
 */
export function mirrorReadme(markdown: string, source: Source): string {
  return outsideCode(markdown, (prose) =>
    links.reduce(
      (text, pattern) =>
        text.replace(
          pattern,
          (_, before: string, open: string, link: string, close: string) =>
            `${before}${open}${linkFromMirror(link, source)}${close}`,
        ),
      prose,
    ),
  );
}

/** The end of a mirror's README: where its sources are, and where issues go, because a mirror takes none. */
export function originOf({ url, tag, folder }: Source): string {
  return `
## Sources and help

This repository holds [${folder} ${tag}](${url}/tree/${tag}/${folder}), ready to run. Please report problems, and send pull requests, to
[the sources](${url}); for a vulnerability, see the [security policy](${url}/blob/${tag}/SECURITY.md).
`;
}

/** Every relative link in a text, as written. */
export function relativeLinks(markdown: string): string[] {
  const found: string[] = [];
  outsideCode(markdown, (prose) => {
    for (const pattern of links) {
      for (const [, , , link = ''] of prose.matchAll(pattern)) if (!isElsewhere(link)) found.push(link);
    }
    return prose;
  });
  return found;
}

function linkFromMirror(link: string, { url, tag, folder }: Source): string {
  if (isElsewhere(link)) return link;
  const [path = '', anchor] = link.split('#');
  // As in a browser: relative links start at the README's folder, and cannot leave the root of the sources.
  const target = decodeURI(new URL(path, `https://sources/${folder}/`).pathname).slice(1);
  const end = anchor === undefined ? '' : `#${anchor}`;
  if (shippedFiles.includes(target)) return `${target}${end}`;
  const kind = imageEnding.test(target) ? 'raw' : target.endsWith('/') ? 'tree' : 'blob';
  return `${url}/${kind}/${tag}/${encodeURI(target.replace(/\/$/, ''))}${end}`;
}

/** A heading on the same page, or an absolute address. */
function isElsewhere(link: string): boolean {
  return link.startsWith('#') || link.startsWith('//') || /^[a-z][a-z+.-]*:/i.test(link);
}

/** Applies a change to everything but fenced blocks and inline code. */
function outsideCode(markdown: string, change: (prose: string) => string): string {
  const code = /^(`{3,}|~{3,})[^\n]*\n[\s\S]*?^\1[`~]*$|(?<!`)(`+)(?!`)(?:(?!\n\n)[\s\S])*?[^`]\2(?!`)/gm;
  // Links may contain code (`[`x`](y)`), so code is put aside first, to keep links in one piece.
  const aside: string[] = [];
  const prose = markdown.replace(code, (piece) => `\0${aside.push(piece) - 1}\0`);
  return change(prose).replace(/\0(\d+)\0/g, (_, index: string) => aside[Number(index)] ?? '');
}
