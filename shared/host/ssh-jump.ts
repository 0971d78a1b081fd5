import type { SshSettings } from './ssh-settings.ts';

type Login = Pick<SshSettings, 'host' | 'port' | 'user'>;

/** ssh's words that name the host that they are about. The log of a jump host's ssh stands among that of the target's. */
const naming = [
  /^(?<user>\S+)@(?<host>\S+): Permission denied/m,
  /Could not resolve hostname (?<host>\S+?):? /,
  /connect to host (?<host>\S+) port (?<port>\d+):/,
  /host key is known for \[?(?<host>[^\s\]]+)\]?(?::(?<port>\d+))?/,
  /[Hh]ost key for \[?(?<host>[^\s\]]+)\]?(?::(?<port>\d+))? (?:has changed|is marked as revoked|was revoked)/,
];

/** The login at the jump host if it is the one that failed; null if it is the target, or there is no jump host. */
export function failedJump(target: Login & Pick<SshSettings, 'proxyJump'>, cause: string): Login | null {
  if (target.proxyJump === null) return null;
  const { host, port, user } = target.proxyJump;
  const jump = { host, port: port ?? 22, user: user ?? target.user };
  const named = naming.map((pattern) => pattern.exec(cause)?.groups).find((groups) => groups !== undefined);
  const isNamed = (login: Login) =>
    named !== undefined &&
    named['host'] === login.host &&
    [login.user, undefined].includes(named['user']) &&
    [String(login.port), undefined].includes(named['port']);
  if (isNamed(jump) !== isNamed(target)) return isNamed(jump) ? jump : null;
  // The target's ssh finds itself without a connection when that of the jump host has ended, and says so last.
  const isWithout =
    /(Connection closed by UNKNOWN port|kex_exchange_identification: (Connection closed|read))[^\n]*\s*$/.test(cause);
  return isWithout && !/open failed|forwarding failed/.test(cause) ? jump : null;
}
