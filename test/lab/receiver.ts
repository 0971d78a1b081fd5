import { once } from 'node:events';
import { createServer as createPlainServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import type { Certificate } from './certificate.ts';

/** A request as it arrived. */
export interface Received {
  path: string;
  headers: IncomingMessage['headers'];
  body: string;
}

/** A server over TLS that takes pings and webhooks. */
export interface Receiver {
  port: number;
  received: Received[];
  /** How it answers: a status, or not at all. */
  answer: number | 'silent';
  close(): Promise<void>;
}

/** @param onReceived called with each request, before it is answered */
export async function startReceiver(
  { key, cert }: Certificate,
  onReceived: (request: Received) => void = () => {},
): Promise<Receiver> {
  const server = createServer({ key, cert }, (request, response) => void take(request, response));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const self: Receiver = {
    port: (server.address() as AddressInfo).port,
    received: [],
    answer: 200,
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += chunk;
    const received = { path: request.url ?? '', headers: request.headers, body };
    self.received.push(received);
    onReceived(received);
    if (self.answer === 'silent') return;
    response.writeHead(self.answer, { location: '/elsewhere' }).end('OK');
  }
  return self;
}

/** A proxy of the runner, by way of which every name leads to this machine. */
export async function startProxy(): Promise<{ port: number; targets: string[]; close(): void }> {
  const targets: string[] = [];
  const server = createPlainServer((_request, response) => response.writeHead(405).end());
  server.on('connect', (request, socket) => {
    targets.push(request.url ?? '');
    const way = connect(Number(request.url?.split(':').at(-1)), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      way.pipe(socket).pipe(way);
    });
    for (const each of [way, socket]) each.on('error', () => way.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    targets,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
