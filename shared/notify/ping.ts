import { once } from 'node:events';
import { connect, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Failure } from '../failure.ts';
import { inTime, reasonOf } from '../reaching.ts';

/** Milliseconds. */
const patience = 10_000;

/**
 * Connects to where pings go, and checks its certificate. Nothing is said to it: any request would be a ping, and would
 * tell its watchers of a run that there was not. The address is a secret, and in no message.
 *
 * @throws Failure `ping-unreachable`
 */
export async function reachPing(address: URL, signal: AbortSignal): Promise<void> {
  const host = address.hostname.replace(/^\[|\]$/g, '');
  const isTls = address.protocol === 'https:';
  const port = Number(address.port) || (isTls ? 443 : 80);
  // An address has no name to be told.
  const socket = isTls
    ? connectTls({ host, port, ...(isIP(host) === 0 && { servername: host }) })
    : connect(port, host);
  try {
    await inTime(patience, signal, once(socket, isTls ? 'secureConnect' : 'connect'));
  } catch (error) {
    signal.throwIfAborted();
    throw new Failure('ping-unreachable', `${address.host} cannot be reached from the runner: ${reasonOf(error)}`, {
      hint: 'Correct "healthcheck-url"; see whether the network of the runner lets it through',
    });
  } finally {
    socket.destroy();
  }
}
