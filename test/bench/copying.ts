// One way to move the bytes of a large file, in a process of its own: so its memory is its own too. Prints how long that took, in
// milliseconds, without the start of the process and of the connection.
import { createReadStream } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { Connection } from '../../shared/host/connection.ts';
import type { IncomingFile } from '../../shared/host/incoming-files.ts';
import { connectBySsh } from '../../shared/host/ssh.ts';
import { openS3Store } from '../../shared/offsite/s3-store.ts';
import { checkedFiles } from '../../shared/offsite/set-files.ts';
import type { VerifiedSet } from '../../shared/sets/catalogue.ts';
import type { ManifestSummary } from '../../shared/sets/manifest.ts';
import { readFiles } from '../../shared/sets/read-files.ts';
import { temporaryFolder } from '../lab/folder.ts';

/** What to move, and where it is. */
export interface Copying {
  /** From the host into the bucket; from the host to nowhere; from a local file into the bucket, by the library of AWS's. */
  way: 'copy' | 'read' | 'library';
  host: Record<string, string>;
  backupDir: string;
  id: string;
  /** Bare, in `daily`; beside it its `.sha256` list and a manifest. */
  name: string;
  sha256: string;
  file: string;
  bytes: number;
  bucket: string;
  endpoint: string;
  region: string;
}

const never = new AbortController().signal;

const ways: Record<Copying['way'], (copying: Copying) => Promise<number>> = {
  copy: async (copying) => {
    const { bucket, endpoint, region, id, name: file, sha256, bytes: sizeBytes } = copying;
    const store = await openS3Store({ bucket, prefix: '', endpoint: new URL(endpoint), region }, never);
    // The library is loaded, and connected, by the first request.
    await store.facts('nothing');
    const manifest = { id, file, sha256, sizeBytes } as ManifestSummary;
    const names = [`backup_${id}.sha256`, file, `backup_${id}.manifest.json`];
    // As a copy is made: everything is compared with its checksum on the way.
    return fromHost(copying, names, async (files) => {
      for await (const { name, content, bytes } of checkedFiles(manifest, files))
        await store.write(`ours/${name}`, content, bytes);
    });
  },
  read: (copying) =>
    fromHost(copying, [copying.name], async (files) => {
      for await (const { content } of files) for await (const piece of content) void piece;
    }),
  library: async ({ bucket, endpoint, region, name, file }) => {
    const [{ S3Client, HeadBucketCommand }, { Upload }] = await Promise.all([
      import('@aws-sdk/client-s3'),
      import('@aws-sdk/lib-storage'),
    ]);
    const client = new S3Client({ endpoint, region, forcePathStyle: true });
    await client.send(new HeadBucketCommand({ Bucket: bucket }));
    const begin = performance.now();
    const params = { Bucket: bucket, Key: `library/${name}`, Body: createReadStream(file) };
    await new Upload({ client, params, partSize: 8 * 2 ** 20, queueSize: 5 }).done();
    return performance.now() - begin;
  },
};

async function fromHost(
  { host, backupDir, id }: Copying,
  names: readonly string[],
  take: (files: AsyncIterable<IncomingFile>) => Promise<void>,
): Promise<number> {
  const connection = await connect(host);
  try {
    const set = { state: 'verified', id, database: 'bench', folders: ['daily'] } as unknown as VerifiedSet;
    const begin = performance.now();
    const files = readFiles(connection, {
      backupDir,
      set,
      names,
      timeout: 600_000,
      signal: never,
      onLog: () => {},
    });
    await take(files);
    return performance.now() - begin;
  } finally {
    await connection.close();
  }
}

function connect(host: Record<string, string>): Promise<Connection> {
  const { host: address = '', port, user = '', 'ssh-key': key = '', 'known-hosts': knownHosts = '' } = host;
  return connectBySsh(
    { host: address, port: Number(port), knownHosts, user, key, passphrase: null, proxyJump: null },
    { folder: temporaryFolder('bench'), diagnoseKey: async () => null as never, signal: never },
  );
}

if (import.meta.main) {
  const copying: Copying = JSON.parse(await text(process.stdin));
  const ms = await ways[copying.way](copying);
  process.stdout.write(`${ms}\n`);
}
