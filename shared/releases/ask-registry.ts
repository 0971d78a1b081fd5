import { isFailure } from '../failure.ts';
import type { Connection } from '../host/connection.ts';
import type { Program } from '../host/program.ts';
import { listOf, orNull, shape, textThat } from '../untrusted.ts';
import { isDigest } from './image-reference.ts';
import { registryWord } from './registry-words.ts';

export interface RegistryLogin {
  user: string;
  password: string;
}

export interface RegistryQuestion {
  registry: string;
  /** null: the images are public, or the host is logged in. */
  login: RegistryLogin | null;
  /** `repository@digest`, or `repository:tag`. */
  references: readonly string[];
  /** `repository:tag`: asked for what the tag stands for. */
  tags?: readonly string[];
  signal: AbortSignal;
  onLog: (line: string) => void;
}

export interface RegistryAnswer {
  /** Why the registry refuses the login; null if it accepts it, or none was given. */
  refusal: string | null;
  /** Images that the registry has. */
  there: string[];
  /** Images that it does not have, or gave no answer about, with the message. */
  away: { reference: string; why: string }[];
  /** By `repository:tag`. */
  meanings: ReadonlyMap<string, TagMeaning>;
}

/** What a tag stands for in the registry. */
export interface TagMeaning {
  /** The digest by which the tag is pulled; null if the host could not find it out for an image of several platforms. */
  whole: string | null;
  /** Digests of the manifest and the configuration of each platform. */
  parts: readonly string[];
}

export const program: Program<{
  registry: string;
  user: string;
  password: string;
  references: readonly string[];
  tags: readonly string[];
}> = {
  name: 'ask-registry',
  step: 'the registry check',
  scripts: [
    new URL('../host/open-parent.sh', import.meta.url),
    new URL('./login.sh', import.meta.url),
    new URL('./ask-registry.sh', import.meta.url),
  ],
};

/** Asks the registry from the host whether it has the images that a rollback would pull. Pulls nothing. */
export async function askRegistry(connection: Connection, question: RegistryQuestion): Promise<RegistryAnswer> {
  const { registry, login, references, tags = [], signal, onLog } = question;
  const parameters = { registry, user: login?.user ?? '', password: login?.password ?? '', references, tags };
  const deadline = 90_000 + references.length * 30_000 + tags.length * 60_000;
  try {
    const records = await connection.run(program, parameters, { deadline, atEnd: 'end', signal, onLog }).result;
    return {
      refusal: null,
      there: records.all('there'),
      away: records.all('away').map((value) => {
        const space = value.indexOf(' ');
        return { reference: value.slice(0, space), why: value.slice(space + 1).trim() };
      }),
      meanings: new Map(records.all('meaning').flatMap(readMeaning)),
    };
  } catch (error) {
    // Only an answer that comes from the registry itself says something about the login.
    if (!isFailure(error, 'login-failed') || registryWord(error.message, [registry]) !== 'refused') throw error;
    return { refusal: error.message, there: [], away: [], meanings: new Map() };
  }
}

const digestOf = shape<{ digest: string | null }>({ digest: orNull(textThat(isDigest, 'a digest')) });
const manifest = orNull(shape<{ config: { digest: string | null } | null }>({ config: orNull(digestOf) }));
const platform = shape<{
  Descriptor: { digest: string | null };
  SchemaV2Manifest: ReturnType<typeof manifest>;
  OCIManifest: ReturnType<typeof manifest>;
}>({ Descriptor: digestOf, SchemaV2Manifest: manifest, OCIManifest: manifest });
const platforms = listOf(platform, 200);

/** Reads `REFERENCE DIGEST JSON`. What cannot be read is no answer. */
function readMeaning(value: string): [string, TagMeaning][] {
  const [, reference = '', told = '', json = ''] = /^(\S+) (\S+) (.*)$/s.exec(value) ?? [];
  try {
    // Docker may have put a warning in front.
    const parsed: unknown = JSON.parse(json.slice(json.search(/^[[{]/m)));
    const list = platforms(Array.isArray(parsed) ? parsed : [parsed], '');
    const parts = list.flatMap(({ Descriptor, SchemaV2Manifest, OCIManifest }) => [
      Descriptor.digest,
      SchemaV2Manifest?.config?.digest,
      OCIManifest?.config?.digest,
    ]);
    const whole = Array.isArray(parsed) ? told : (list[0]?.Descriptor.digest ?? '');
    const known = parts.filter((each) => each !== null && each !== undefined);
    return [[reference, { whole: isDigest(whole) ? whole : null, parts: known }]];
  } catch (error) {
    if (error instanceof SyntaxError || isFailure(error, 'bad-value')) return [];
    throw error;
  }
}
