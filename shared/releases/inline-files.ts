import { Failure } from '../failure.ts';
import { plain } from './template-variables.ts';

/**
 * A file that compose writes into a container just before it starts it: from `content:` or `environment:` of a config or
 * secret. Docker's own start does not, so whoever starts a container without compose must. The content is a secret.
 */
export interface InlineFile {
  /** Absolute, in the container. */
  path: string;
  content: string;
  mode: number;
  uid: number;
  gid: number;
}

interface FileReference {
  source?: string;
  target?: string;
  uid?: string;
  gid?: string;
  mode?: string | number;
}

interface FileSource {
  content?: string;
  environment?: string;
}

interface Configuration {
  configs?: Record<string, FileSource>;
  secrets?: Record<string, FileSource>;
  services?: Record<string, { configs?: FileReference[]; secrets?: FileReference[] }>;
}

/**
 * The inline files of a service.
 * @param config `docker compose config --format json`
 * @param values the same with `x-values`: the variables by name, with an x in front of each that is set; empty if there are none
 * @throws Failure `cannot-swap` if a variable is not set, so that the file would be empty
 */
export function inlineFiles(config: string, values: string, service: string): InlineFile[] {
  const { configs = {}, secrets = {}, services = {} } = JSON.parse(config) as Configuration;
  const own = Object.hasOwn(services, service) ? services[service] : undefined;
  const known = values.trim() === '' ? {} : (JSON.parse(values) as { 'x-values'?: Record<string, string> })['x-values'];
  const read = (references: FileReference[] | undefined, sources: Record<string, FileSource>, folder: string) =>
    (references ?? []).flatMap((reference): InlineFile[] => {
      const { source = '', target = source, uid, gid, mode } = reference;
      const content = contentOf(Object.hasOwn(sources, source) ? sources[source] : undefined, known ?? {}, service);
      if (content === null || content === '') return [];
      return [
        {
          path: target.startsWith('/') ? target : `${folder}${target}`,
          content,
          mode: mode === undefined ? 0o444 : Number.parseInt(String(mode), typeof mode === 'string' ? 8 : 10),
          uid: Number(uid ?? 0),
          gid: Number(gid ?? 0),
        },
      ];
    });
  return [...read(own?.configs, configs, '/'), ...read(own?.secrets, secrets, '/run/secrets/')];
}

/** null if the file comes from elsewhere. */
function contentOf(
  source: FileSource | undefined,
  values: Readonly<Record<string, string>>,
  service: string,
): string | null {
  if (source?.content !== undefined) return plain(source.content);
  const name = source?.environment;
  if (name === undefined) return null;
  const value = values[name] ?? '';
  if (value.startsWith('x')) return plain(value.slice(1));
  throw new Failure('cannot-swap', `${service} has a file that is made from the variable ${name}, which is not set`, {
    hint: `Set ${name} in the env file of compose, with the value that the deployment had`,
  });
}

const block = 512;

/** The files as a tar archive (POSIX ustar), which `docker cp` unpacks with owner and mode. @throws Failure `bad-value` */
export function tarOf(files: readonly InlineFile[]): Buffer {
  return Buffer.concat([...files.flatMap(entry), Buffer.alloc(2 * block)]);
}

function entry({ path, content, mode, uid, gid }: InlineFile): Buffer[] {
  const data = Buffer.from(content);
  const header = Buffer.alloc(block);
  const name = path.replace(/^\/+/, '');
  const octal = (value: number, at: number, length: number) =>
    header.write(value.toString(8).padStart(length - 1, '0'), at, length - 1, 'latin1');
  const cut = name.length <= 100 ? -1 : name.lastIndexOf('/', 154);
  const [folder, base] = [name.slice(0, Math.max(0, cut)), name.slice(cut + 1)];
  if (
    Buffer.byteLength(base) > 100 ||
    Buffer.byteLength(folder) > 155 ||
    ![mode, uid, gid].every((each) => each >= 0 && each < 0o10000000)
  ) {
    throw new Failure(
      'bad-value',
      `The file ${path} of a config or secret has a path, owner or mode that does not fit`,
      {
        hint: 'Give the config or secret a shorter "target", and numbers for "uid", "gid" and "mode"',
      },
    );
  }
  header.write(base, 0);
  header.write(folder, 345);
  octal(mode, 100, 8);
  octal(uid, 108, 8);
  octal(gid, 116, 8);
  octal(data.length, 124, 12);
  octal(0, 136, 12);
  header.write('        0', 148); // the checksum counts as spaces; a plain file
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return [header, data, Buffer.alloc((block - (data.length % block)) % block)];
}
