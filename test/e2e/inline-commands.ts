// The commands within the sentences and tables of the pages. Most cannot be typed in a test: they are for a host that is broken, or lost.
// But each of their words and options can be looked up in the help of its program.

/** Their help is looked up. */
const programs =
  'age age-keygen apt-get bash cat chgrp chmod chown df dmesg docker dropdb du flock fuser gzip install ls pg_dump pg_restore psql sha256sum ssh ssh-keygen su usermod zstd';
/** Theirs is not: they are the developers', the cloud's, or systemd's, which hosts of the lab have not. */
const elsewhere = 'aws gh git journalctl npm rsync sudo systemctl timedatectl';
/** In the database's container. */
const inContainer = 'dropdb pg_dump pg_restore psql';

/** What a program prints if it is asked for help. */
export type Help = (command: readonly string[]) => Promise<string>;

/** The commands in a page's sentences and tables that somebody could type; SQL and names alone are none. */
export function inlineCommands(markdown: string): string[] {
  const prose = markdown.replace(/^ *```[\s\S]*?^ *```$/gm, '');
  const first = new RegExp(`^(?:${[programs, elsewhere].join(' ').replaceAll(' ', '|')}) \\S`);
  return Array.from(prose.matchAll(/(?<!`)`([^`\n]+)`(?!`)/g), ([, code = '']) => code.replaceAll('\\|', '|')).filter(
    (code) => first.test(code),
  );
}

/** What of a command its programs do not know; null if they know all of it, or cannot be asked. */
export async function unknownIn(command: string, help: Help): Promise<string | null> {
  for (const part of command.split(/ (?:\|\|?|&&) |; /)) {
    const unknown = await unknownInPart(part.match(/(?:[^\s']|'[^']*')+/g) ?? [], help);
    if (unknown !== null) return unknown;
  }
  return null;
}

async function unknownInPart(words: readonly string[], help: Help): Promise<string | null> {
  const [program = '', ...rest] = words;
  if (!programs.split(' ').includes(program)) return null;
  const path = inContainer.split(' ').includes(program) ? ['docker', 'exec', 'CONTAINER', program] : [program];
  let said = await help(path);
  let left = rest;
  // Docker's commands have commands of their own.
  for (let [next] = left; program === 'docker' && /^[\w ]*Commands:$/m.test(said); [next] = left) {
    if (next === undefined) return null;
    if (!new RegExp(`^ +${next}\\*? `, 'm').test(said)) return `${path.join(' ')} knows no ${next}`;
    path.push(next);
    left = left.slice(1);
    said = await help(path);
  }
  const container = path.join(' ') === 'docker exec' ? left.indexOf('CONTAINER') : -1;
  // What runs in the container has options of its own; so has what ssh runs on the host.
  const inner = container >= 0 ? left.slice(container + 1) : [];
  const own = container >= 0 ? left.slice(0, container) : program === 'ssh' ? untilHost(left) : left;
  const strange = own.filter((word) => /^-\w|^--\w/.test(word)).find((word) => !isKnown(word, said));
  if (strange !== undefined) return `${path.join(' ')} has no option ${strange}`;
  return inner.length === 0 ? null : unknownInPart(inner, help);
}

function untilHost(words: readonly string[]): readonly string[] {
  const host = words.findIndex((word) => word.includes('@'));
  return host < 0 ? words : words.slice(0, host);
}

/** Whether help lists the option; short ones may stand together. */
function isKnown(word: string, help: string): boolean {
  const [, long] = /^(--[\w-]+)/.exec(word) ?? [];
  if (long !== undefined) return new RegExp(`${long}(?![\\w-])`).test(help);
  return [...word.slice(1)].every((letter) => new RegExp(`(?:^|[\\s\\[|,(])-[A-Za-z0-9]*${letter}`, 'm').test(help));
}
