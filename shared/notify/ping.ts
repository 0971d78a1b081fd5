import { once } from 'node:events';
import { connect, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Failure } from '../failure.ts';
import { inTime, reasonOf } from '../reaching.ts';

/** Milliseconds. */
const patience = 10_000;

/**
 * Connects to the server for pings and checks its certificate. Sends nothing: any request would be a ping, and would report
 * a run that did not happen. The address is a secret and appears in no message.
 *
 * @throws Failure `ping-unreachable`
 */
export async function reachPing(address: URL, signal: AbortSignal): Promise<void> {
  const host = address.hostname.replace(/^\[|\]$/g, '');
  const isTls = address.protocol === 'https:';
  const port = Number(address.port) || (isTls ? 443 : 80);
  // An IP address is not a server name.
  const socket = isTls
    ? connectTls({ host, port, ...(isIP(host) === 0 && { servername: host }) })
    : connect(port, host);
  try {
    await inTime(patience, signal, once(socket, isTls ? 'secureConnect' : 'connect'));
  } catch (error) {
    signal.throwIfAborted();
    throw new Failure('ping-unreachable', `${address.host} cannot be reached from the runner: ${reasonOf(error)}`, {
      hint: 'Correct "healthcheck-url", and check that the network of the runner allows the connection',
    });
  } finally {
    socket.destroy();
  }
}
