// A server that speaks as much of S3 as one object store needs, and answers otherwise where a test says so. It checks no signature.
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { BucketPlace } from '../../../shared/offsite/bucket-place.ts';

/** What was asked of the store. */
export interface Asked {
  method: string;
  /** Decoded, without the bucket. */
  key: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
}

export interface Answer {
  status: number;
  body?: string;
  headers?: Record<string, string>;
}

/** An error as a store tells it. */
export const refusal = (status: number, code: string, message = `It said ${code}`): Answer => ({
  status,
  body: `<Error><Code>${code}</Code><Message>${message}</Message></Error>`,
});

export interface FalseStore {
  /** In the order in which it came. */
  readonly asked: Asked[];
  /** Answers in its place; null: as usual. */
  instead: (asked: Asked) => Answer | null;
  place(bucket?: string): BucketPlace;
  close(): void;
}

export async function startFalseStore(): Promise<FalseStore> {
  const sizes = new Map<string, number>();
  const server = createServer(async (request, response) => {
    const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://store');
    const [, bucket = '', ...rest] = pathname.split('/').map(decodeURIComponent);
    const asked = { method: request.method ?? '', key: rest.join('/'), query, headers: request.headers };
    // null: the client has given this part up.
    const content = await buffer(request).catch(() => null);
    if (content === null) return;
    self.asked.push(asked);
    const { status, body = '', headers = {} } = self.instead(asked) ?? usual(asked, bucket, content.length);
    response.writeHead(status, { 'content-type': 'application/xml', ...headers });
    response.end(request.method === 'HEAD' ? undefined : body);
  });

  const usual = ({ method, key, query }: Asked, bucket: string, length: number): Answer => {
    if (query.has('uploads') && method === 'GET') return { status: 200, body: '<ListMultipartUploadsResult/>' };
    if (query.has('list-type'))
      return { status: 200, body: `<ListBucketResult><Name>${bucket}</Name></ListBucketResult>` };
    if (query.has('uploads')) {
      const body = '<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>';
      sizes.set(key, 0);
      return { status: 200, body };
    }
    if (method === 'PUT') {
      sizes.set(key, (query.has('uploadId') ? (sizes.get(key) ?? 0) : 0) + length);
      return { status: 200, headers: { etag: '"0"' } };
    }
    if (method === 'POST')
      return { status: 200, body: '<CompleteMultipartUploadResult><ETag>"0-1"</ETag></CompleteMultipartUploadResult>' };
    if (method === 'DELETE') return { status: 204 };
    const size = sizes.get(key);
    return size === undefined
      ? refusal(404, 'NoSuchKey')
      : { status: 200, headers: { 'content-length': String(size) } };
  };

  const self: FalseStore = {
    asked: [],
    instead: () => null,
    place: (bucket = 'acme') => {
      const { port } = server.address() as AddressInfo;
      return { bucket, prefix: 'x', region: 'eu-central-1', endpoint: new URL(`http://127.0.0.1:${port}`) };
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return self;
}
