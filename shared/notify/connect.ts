import { once } from 'node:events';
import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { inTime, reasonOf } from '../reaching.ts';
import { loginIn } from './login.ts';

/** The proxy that the runner uses for an address; null: none. */
export type ProxyFor = (url: URL) => URL | null;

/** Milliseconds to connect, where nothing is sent. */
const patience = 10_000;

/**
 * Connects to the server of an address, by way of the proxy, and checks its certificate. Sends nothing to the server. The path of
 * the address is a secret and appears in no error.
 * @param signal destroys the connection
 */
export async function openConnection(url: URL, proxyFor: ProxyFor, signal: AbortSignal): Promise<Socket> {
  const proxy = proxyFor(url);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const isTls = url.protocol === 'https:';
  const port = Number(url.port) || (isTls ? 443 : 80);
  const viaProxy = proxy === null ? null : await tunnel(proxy, `${url.hostname}:${port}`, signal);
  // An IP address is not a server name.
  const names = isIP(host) === 0 ? { servername: host } : {};
  const socket = isTls
    ? connectTls(viaProxy === null ? { host, port, ...names } : { socket: viaProxy, host, ...names })
    : (viaProxy ?? connect(port, host));
  const end = () => socket.destroy();
  signal.addEventListener('abort', end, { once: true });
  socket.once('close', () => signal.removeEventListener('abort', end));
  if (isTls || viaProxy === null) await once(socket, isTls ? 'secureConnect' : 'connect', { signal });
  return socket;
}

/** Connects to the server of an address and closes the connection. @throws Error with the host and the reason in one line */
export async function reachServer(address: URL, proxyFor: ProxyFor, signal: AbortSignal): Promise<void> {
  const end = new AbortController();
  try {
    await inTime(patience, signal, openConnection(address, proxyFor, end.signal));
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(`${address.host} cannot be reached from the runner: ${reasonOf(error)}`);
  } finally {
    end.abort();
  }
}

/** Has the proxy connect us to a server. */
async function tunnel(proxy: URL, target: string, signal: AbortSignal): Promise<Socket> {
  const isTls = proxy.protocol === 'https:';
  const login = loginIn(proxy);
  const request = (isTls ? tlsRequest : plainRequest)({
    host: proxy.hostname.replace(/^\[|\]$/g, ''),
    port: Number(proxy.port) || (isTls ? 443 : 80),
    method: 'CONNECT',
    path: target,
    headers: {
      host: target,
      ...(login !== null && { 'proxy-authorization': `Basic ${Buffer.from(login).toString('base64')}` }),
    },
    agent: false,
    signal,
  });
  request.end();
  const [response, socket] = await once(request, 'connect', { signal });
  if (response.statusCode === 200) return socket;
  socket.destroy();
  throw new Error(`the proxy ${proxy.host} answers ${response.statusCode}`);
}
