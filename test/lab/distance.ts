import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A port of loopback that leads to another one, as far away as it is said to be. */
export interface Distance {
  port: number;
  /** How often the near side has spoken after it had heard something. */
  roundTrips(): number;
  close(): Promise<void>;
}

/** Lets every byte to a local port, and back from it, arrive so many milliseconds later. */
export async function farAway(port: number, eachWayMs: number): Promise<Distance> {
  const sockets = new Set<Socket>();
  let roundTrips = 0;
  let hasHeard = true;
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      // Timers of one length end in the order in which they began.
      const later = (act: () => unknown) => setTimeout(() => to.destroyed || act(), eachWayMs);
      from.on('data', (bytes) => {
        if (from === near && hasHeard) roundTrips += 1;
        if (from === near) hasHeard = false;
        later(() => {
          hasHeard ||= to === near;
          to.write(bytes);
        });
      });
      from.on('end', () => later(() => to.end()));
      from.on('error', () => to.destroy());
      from.on('close', () => sockets.delete(from));
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    roundTrips: () => roundTrips,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
