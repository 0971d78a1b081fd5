import { referenceOf } from './image-reference.ts';

/**
 * What a registry, or Docker on the way to it, has said: `refused` a login or a right, `missing` image, `busy` (asks to
 * wait), `broken` (an error of its own), `unreachable`, `wrong-platform`, a `full` disk, or what `docker` itself lacks.
 */
export type RegistryWord =
  | 'refused'
  | 'missing'
  | 'busy'
  | 'broken'
  | 'unreachable'
  | 'wrong-platform'
  | 'full'
  | 'docker'
  | 'helper';

/** The first that fits counts. Each is looked for in a text without the names that people choose. */
const words: readonly [RegistryWord, RegExp][] = [
  ['full', /no space left on device|disk quota exceeded/i],
  ['helper', /docker-credential-|error getting credentials|error (?:storing|saving) credentials/i],
  [
    'docker',
    /permission denied while trying|dial unix .*permission denied|cannot connect to the docker daemon|is the docker daemon running|docker endpoint|context "[^"]*": /i,
  ],
  ['busy', /toomanyrequests|too many requests|rate limit|rate exceeded/i],
  [
    'wrong-platform',
    /no matching manifest for|no match for platform|does not (?:match|provide) the specified platform/i,
  ],
  [
    'refused',
    /unauthorized|\bdenied\b|forbidden|authentication required|authorization failed|no basic auth|incorrect username|insufficient[_ ]scope/i,
  ],
  ['missing', /manifest[_ ]unknown|no such manifest|name[_ ]unknown|\bnot found\b|repository does not exist/i],
  [
    'unreachable',
    /connection (?:refused|reset|timed out)|no such host|no route to host|timeout|timed out|deadline exceeded|dial tcp|network is unreachable|\bEOF\b|TLS handshake|server misbehaving|no answer within/i,
  ],
];

/** The status of an HTTP answer, in the ways in which Docker, containerd and registries write it. */
const status =
  /(?:status(?: code)?(?: from [A-Z]+ request to)?|HTTP(?:\/\d(?:\.\d)?)?(?: status)?(?: code)?|error parsing HTTP|response status)[:\s]+(\d{3})\b|\b([45]\d\d) (?:[A-Z][a-z]+(?:[ -][A-Z][a-z]+)*)/;

const byStatus: Readonly<Record<string, RegistryWord>> = {
  401: 'refused',
  403: 'refused',
  404: 'missing',
  429: 'busy',
};

/** What the text means; null if it says nothing that is known. @param names references that the text may quote */
export function registryWord(said: string, names: readonly string[]): RegistryWord | null {
  const text = withoutNames(said, names);
  const [, one, other] = status.exec(text) ?? [];
  const code = one ?? other;
  const word = words.find(([, pattern]) => pattern.test(text))?.[0] ?? null;
  // A full disk or a missing helper is the host's own affair, whatever a status says.
  if (word === 'full' || word === 'helper' || code === undefined) return word;
  return byStatus[code] ?? (code.startsWith('5') ? 'broken' : word);
}

/** The text without addresses and without what people have named: a tag may be called `denied`, or contain 403. */
function withoutNames(said: string, names: readonly string[]): string {
  let text = said.replaceAll(/(?:https?|tcp|unix):\/\/[^\s"']+/g, ' ');
  for (const name of names.flatMap(partsOf).toSorted((one, other) => other.length - one.length)) {
    text = text.replaceAll(name, ' ');
  }
  return text
    .replaceAll(/(?:manifest tagged by|Tag:|tag=|Name:|name=)\s*"?[\w./:@-]+"?/g, ' ')
    .replaceAll(/\blookup \S+( on \S+)?:/g, ' ');
}

/** A reference in every form in which it may be quoted. A tag on its own is left, as it may be an ordinary word. */
function partsOf(name: string): string[] {
  const reference = referenceOf(name);
  if (reference === null) return name === '' ? [] : [name];
  const { repository, path, registry, tag, digest } = reference;
  const familiar = path.replace(/^library\//, '');
  const bodies = [repository, path, ...(registry === 'docker.io' ? [familiar] : [])];
  const ends = [...(tag === null ? [] : [`:${tag}`]), ...(digest === null ? [] : [`@${digest}`])];
  return [
    name,
    ...bodies.flatMap((body) => ends.map((end) => body + end)),
    // A short name such as `denied` is quoted in few places; on its own it may be the registry's word.
    ...bodies.filter((body) => body.includes('/')),
    ...(familiar.includes('/') ? [] : [`for ${familiar},`, `for ${familiar} `]),
    ...(digest === null ? [] : [digest]),
    registry,
  ];
}
