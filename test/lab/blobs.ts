import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import {
  BlobSASPermissions,
  BlobServiceClient,
  type ContainerClient,
  generateBlobSASQueryParameters,
  StorageSharedKeyCredential,
} from '@azure/storage-blob';
import { freePort, listening } from './port.ts';

const account = 'devstoreaccount1';
/** The one that every copy of the store has. */
const accountKey = 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
const credential = new StorageSharedKeyCredential(account, accountKey);
const store = fileURLToPath(new URL('../../node_modules/azurite/dist/src/blob/main.js', import.meta.url));
/** A blob store as GitHub's services use one. */
export interface Blobs {
  url(blob: string, permissions: string): string;
  copy(from: string, to: string): Promise<void>;
  close(): Promise<void>;
}

/** Starts it on loopback; it ends with this process at the latest. */
export async function startBlobs(): Promise<Blobs> {
  const port = await freePort();
  const options = ['--inMemoryPersistence', '--skipApiVersionCheck', '--silent', '--disableTelemetry'];
  const command = ['--pdeathsig', 'KILL', process.execPath, store, ...options, '--blobPort', String(port)];
  const server: ChildProcess = spawn('setpriv', command, { stdio: 'ignore' });
  await listening(
    port,
    () => server.exitCode !== null,
    () => `${store} did not start`,
  );
  const base = `http://127.0.0.1:${port}/${account}`;
  const container: ContainerClient = new BlobServiceClient(base, credential).getContainerClient('results');
  await container.create();
  const url = (blob: string, permissions: string) => {
    const rights = {
      containerName: 'results',
      blobName: blob,
      permissions: BlobSASPermissions.parse(permissions),
      startsOn: new Date(Date.now() - 60_000),
      expiresOn: new Date(Date.now() + 3_600_000),
    };
    return `${base}/results/${encodeURIComponent(blob)}?${generateBlobSASQueryParameters(rights, credential)}`;
  };
  return {
    url,
    async copy(from, to) {
      await container.getBlobClient(to).syncCopyFromURL(url(from, 'r'));
    },
    async close() {
      if (server.exitCode !== null) return;
      server.kill('SIGKILL');
      await once(server, 'exit');
    },
  };
}
