// A server in front of a store that lets all pass, but for what a test does to an answer. Signatures hold: they are over the name
// that the client asked, which stays.
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Transform } from 'node:stream';
import type { Certificate } from './certificate.ts';

/** Answers in its own way, and says so by returning true; or changes the store's headers. */
export interface Interference {
  instead?: (asked: IncomingMessage, answer: ServerResponse) => boolean;
  headers?: (asked: IncomingMessage) => Record<string, string>;
  /** Passes only the first `bytes` of an answer on; then cuts the connection, or falls silent. null: passes all of it on. */
  breaks?: (asked: IncomingMessage) => { bytes: number; end: 'cut' | 'stall' } | null;
  /** Lets what is sent to the store, or comes from it, arrive with another byte in each piece. null: as it was. */
  spoils?: (asked: IncomingMessage) => 'sent' | 'given' | null;
}

export interface StoreFront {
  endpoint: string;
  interfere(interference: Interference): void;
  close(): void;
}

/** @param certificate what it shows; without one it speaks no TLS */
export async function startStoreFront(behind: string, certificate?: Certificate): Promise<StoreFront> {
  let interference: Interference = {};
  const { hostname, port } = new URL(behind);
  const pass = (asked: IncomingMessage, answer: ServerResponse) => {
    const { instead, headers, breaks, spoils } = interference;
    if (instead?.(asked, answer)) return;
    const spoilt = spoils?.(asked) ?? null;
    const { method, url: path, headers: sent } = asked;
    const passed = request({ hostname, port, method, path, headers: sent }, (stored) => {
      answer.writeHead(stored.statusCode ?? 500, { ...stored.headers, ...headers?.(asked) });
      const broken = breaks?.(asked) ?? null;
      if (broken === null) {
        (spoilt === 'given' ? stored.pipe(otherBytes()) : stored).pipe(answer);
        return;
      }
      let left = broken.bytes;
      stored.on('data', (piece: Buffer) => {
        const part = piece.subarray(0, left);
        left -= part.length;
        if (part.length > 0) answer.write(part, () => left === 0 && broken.end === 'cut' && answer.destroy());
      });
    });
    passed.on('error', () => answer.destroy());
    (spoilt === 'sent' ? asked.pipe(otherBytes()) : asked).pipe(passed);
  };
  const server = certificate === undefined ? createServer(pass) : createTlsServer(certificate, pass);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    endpoint: `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    interfere(next) {
      interference = next;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function otherBytes(): Transform {
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      const other = Buffer.from(piece);
      other.writeUInt8(other.readUInt8(0) ^ 1, 0);
      done(null, other);
    },
  });
}
