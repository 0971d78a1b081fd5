import { InputError } from '../failure.ts';
import type { MailServer } from '../notify/mail.ts';
import { hostName } from '../runner/grammar.ts';
import { type InputReader, mask } from '../runner/input-reader.ts';

/** Whom to tell how a run went. */
export interface NoticeInputs {
  /** A secret: anybody who knows it can send a ping. */
  pingUrl: URL | null;
  mailServer: MailServer | null;
}

/** Reads them from the workflow. Call it within `readInputs`. Both are secrets: no message repeats them. */
export function readNoticeInputs(input: InputReader): NoticeInputs {
  const ping = input.secret('healthcheck-url');
  const mail = input.secret('smtp-url');
  return {
    pingUrl: ping === null ? null : input.rule(() => readPing(ping.trim())),
    mailServer: mail === null ? null : input.rule(() => readMailServer(mail.trim())),
  };
}

/** A longer path contains a secret: an id, or a key with a name. */
const shortestPath = 16;

function readPing(text: string): URL {
  const name = 'healthcheck-url';
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new InputError(name, 'is not an http or https address', 'Give the ping address that healthchecks.io shows');
  }
  mask(url.href);
  // A short word would be masked wherever else it occurs.
  if (url.pathname.length > shortestPath) mask(url.pathname.slice(1));
  return url;
}

function readMailServer(text: string): NoticeInputs['mailServer'] {
  const name = 'smtp-url';
  const hint = 'Give smtps://user:password@host:465, or smtp://user:password@host:587 for STARTTLS';
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^smtps?:$/.test(url.protocol))
    throw new InputError(name, 'is not an smtp or smtps address', hint);
  const { hostname, port, username, password } = url;
  if (!/^\/?$/.test(url.pathname) || url.search !== '' || url.hash !== '' || port === '0') {
    const escaped = 'Write / ? # @ : in a name or password as %2F %3F %23 %40 %3A';
    throw new InputError(name, 'continues after the host, or has a character that must be escaped', escaped);
  }
  const host = hostname.replace(/^\[|\]$/g, '');
  if (!isHost(host)) throw new InputError(name, 'names no host', hint);
  if ((username === '') !== (password === ''))
    throw new InputError(name, 'has only half a login: a name or a password is missing', hint);
  const isTls = url.protocol === 'smtps:';
  return {
    host,
    port: port === '' ? (isTls ? 465 : 587) : Number(port),
    isTls,
    login: username === '' ? null : { user: decoded(username, name), password: masked(password, name) },
  };
}

function isHost(host: string): boolean {
  try {
    return hostName.parse(host) !== '';
  } catch {
    return false;
  }
}

function decoded(text: string, name: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new InputError(name, 'has a % that does not begin an escape', 'Write a % in a name or password as %25');
  }
}

/** The whole address is masked already, but a server's answer may contain just the password, escaped or not. */
function masked(text: string, name: string): string {
  const plain = decoded(text, name);
  mask(text);
  mask(plain);
  return plain;
}
