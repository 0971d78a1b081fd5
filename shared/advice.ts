/** A piece of advice: words for people, or a command to type. */
export type AdvicePart = { text: string } | { command: string };

/** What the commands begin with that our hints name. Without `find` and `age`, which are words of English as well. */
const programs =
  'apt-get|bash|cat|cd|chage|chgrp|chmod|chown|chsh|curl|df|dmesg|docker|echo|flock|fsfreeze|fuser|grep|install|journalctl|ls|mkdir|ps|rm|sed|setfacl|ssh|ssh-keygen|ssh-keyscan|sshd|systemctl|tail|timedatectl|usermod';

/** In front of a command: what announces one, or the beginning, if an option or a path follows. */
const start = new RegExp(
  `(?:^(?=(?:${programs}) [-/'])|(?:[:;] |(?:, )?then |(?<!\\bnot )\\b[Rr]un )(?=(?:${programs})(?: [^ ,.;]|[.,;]|$)))`,
  'g',
);

/** Where a command ends: at a sentence's end, in front of the next command, or where words go on. */
const end =
  /\. (?=[A-Z(])|\.?$|; (?=[a-z-]+(?: |$))|, (?=(?:then|or|and|must|in) )| (?=must print |on the host)|, (?=[a-z]+ )| \(/;

/**
 * Takes a hint apart. Hints are prose, in which a command stands after a colon, a semicolon or "then": `As root: chmod 700 /x`.
 * What is not surely a command stays text.
 */
export function partsOf(advice: string): AdvicePart[] {
  const parts: AdvicePart[] = [];
  let rest = advice;
  for (;;) {
    start.lastIndex = 0;
    const match = firstCommand(rest);
    if (match === null) break;
    const [from, to] = match;
    if (from > 0) parts.push({ text: rest.slice(0, from) });
    parts.push({ command: rest.slice(from, to) });
    rest = rest.slice(to);
  }
  return rest === '' ? parts : [...parts, { text: rest }];
}

function firstCommand(text: string): [from: number, to: number] | null {
  for (const match of text.matchAll(start)) {
    const from = match.index + match[0].length;
    const length = commandLength(text.slice(from));
    if (length > 0) return [from, from + length];
  }
  return null;
}

/** Up to the first end that is not within quotes. */
function commandLength(text: string): number {
  let offset = 0;
  for (;;) {
    const found = end.exec(text.slice(offset));
    if (found === null) return text.length;
    const at = offset + found.index;
    if (isBalanced(text.slice(0, at))) return at;
    offset = at + Math.max(1, found[0].length);
    if (offset >= text.length) return text.length;
  }
}

function isBalanced(text: string): boolean {
  const isOdd = (quote: string) => (text.split(quote).length - 1) % 2 === 1;
  return !isOdd("'") && !isOdd('"');
}

/** The commands alone, in their order. */
export function commandsIn(advice: string): string[] {
  return partsOf(advice).flatMap((part) => ('command' in part ? [part.command] : []));
}
