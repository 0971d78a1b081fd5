import { isRecordId } from '../history/record.ts';
import { isDigest, isTag } from '../releases/image-reference.ts';
import { isServiceName } from '../releases/release.ts';

/** The input "target": what to go back to. */
export type Target =
  | { kind: 'last-good' }
  | { kind: 'tag'; tag: string }
  | { kind: 'digest'; digest: string }
  | { kind: 'services'; images: Map<string, { tag: string } | { digest: string }> }
  | { kind: 'record'; id: string };

/** Reads the input. @throws RangeError whose message completes "Input target …" */
export function parseTarget(value: string): Target {
  if (value.includes('=')) return { kind: 'services', images: readServices(value) };
  if (isDigest(value)) return { kind: 'digest', digest: value };
  if (isRecordId(value)) return { kind: 'record', id: value };
  if (isTag(value)) return { kind: 'tag', tag: value };
  throw new RangeError('is not a tag, a digest, a list of service=tag, or the id of a record');
}

function readServices(value: string): Map<string, { tag: string } | { digest: string }> {
  const lines = value.split(/[\n,]/).flatMap(readService);
  const twice = lines.find(([service], index) => lines.findIndex(([other]) => other === service) < index);
  if (twice !== undefined) throw new RangeError(`names ${twice[0]} twice`);
  return new Map(lines);
}

function readService(line: string): [string, { tag: string } | { digest: string }][] {
  if (line.trim() === '') return [];
  const at = line.indexOf('=');
  const [service, image] = [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  if (at < 0 || !isServiceName(service)) throw new RangeError('has a line that is not service=tag');
  if (isDigest(image)) return [[service, { digest: image }]];
  if (isTag(image)) return [[service, { tag: image }]];
  throw new RangeError(`gives neither a tag nor a digest for ${service}`);
}
