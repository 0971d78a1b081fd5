import { InputError } from '../failure.ts';
import type { NoticeInputs, OnNoticeInputs } from '../notify/addressed.ts';
import type { Mailing, MailServer } from '../notify/mail.ts';
import * as grammar from '../runner/grammar.ts';
import type { InputReader } from '../runner/input-reader.ts';
import { mask } from '../runner/secrets.ts';
import type { HostInputs } from './host-inputs.ts';

/**
 * Reads them from the workflow. Call it within `readInputs`. The addresses are secrets: no message repeats them.
 * @param onRead gets what can be used of them, even if other inputs are bad: people are notified of such a run, too
 */
export function readNoticeInputs(input: InputReader, host: HostInputs, onRead: OnNoticeInputs): NoticeInputs {
  const ping = input.secret('healthcheck-url');
  const mail = input.secret('smtp-url');
  const hook = input.secret('webhook-url');
  const hookSecret = input.secret('webhook-secret')?.trim() ?? null;
  const mailServer = mail === null ? null : input.rule(() => readMailServer(mail.trim()));
  const notices: NoticeInputs = {
    pingUrl: ping === null ? null : input.rule(() => readAddress('healthcheck-url', ping.trim())),
    mailServer,
    mailing: readMailing(input, mailServer),
    webhook: input.rule(() => {
      if (hook !== null) return { url: readAddress('webhook-url', hook.trim()), secret: hookSecret };
      if (hookSecret === null) return null;
      throw new InputError('webhook-url', 'is missing, although its secret was given', 'Give both, or neither');
    }),
    evidence: input.withDefault('evidence', grammar.choice('none', 'artifact'), 'none'),
  };
  // What could not be read is undefined until `readInputs` throws.
  onRead({ ...usable(notices), environment: host.environment ?? null, database: host.databaseName ?? null });
  return notices;
}

function usable({ pingUrl, mailServer, mailing, webhook, evidence }: Partial<NoticeInputs>): NoticeInputs {
  return {
    pingUrl: pingUrl ?? null,
    mailServer: mailServer ?? null,
    mailing: mailing?.server && mailing.from && mailing.to ? mailing : null,
    webhook: webhook ?? null,
    evidence: evidence ?? 'none',
  };
}

/** A longer path contains a secret: an id, or a key with a name. */
const shortestPath = 16;

/** Of a ping or a webhook: https, or http to the runner itself. */
function readAddress(name: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new InputError(name, 'is not an https address', 'Give the whole address, as the service shows it');
  mask(url.href);
  // A short word would be masked wherever else it occurs.
  if (url.pathname.length > shortestPath) mask(url.pathname.slice(1));
  decoded(url.username, name);
  masked(url.password, name);
  if (url.protocol === 'http:' && !grammar.isLoopback(url))
    throw new InputError(name, 'is not an https address', 'Give one that begins with https://: http shows the secret');
  url.hash = '';
  return url;
}

/** Addresses without names. */
const mailAddress: grammar.Grammar<string> = {
  hint: 'Give addresses such as ops@example.org.',
  parse(value) {
    if (/^[^\s@<>()[\]:;,"\\\p{Cc}]+@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/u.test(value)) return value;
    throw new RangeError('is not a mail address');
  },
};

const mailAddresses: grammar.Grammar<string[]> = {
  hint: `${mailAddress.hint} Several are separated by commas, or one per line.`,
  parse(value) {
    const given = grammar.lines(mailAddress).parse(value.replaceAll(',', '\n'));
    if (given.length === 0) throw new RangeError('names nobody');
    return [...new Set(given)];
  },
};

function readMailing(input: InputReader, server: MailServer | null): Mailing | null {
  const from = input.optional('mail-from', mailAddress);
  const to = input.optional('mail-to', mailAddresses);
  const on = input.withDefault('mail-on', grammar.choice('failure', 'always', 'never'), 'failure');
  return input.rule(() => {
    if (server === null) {
      if (from === null && to === null) return null;
      throw new InputError('smtp-url', 'is missing, although a mail address was given', 'Give the mail server');
    }
    if (on === 'never') return null;
    if (to === null) {
      throw new InputError(
        'mail-to',
        'is missing, although a mail server was given',
        'Give the addresses, or mail-on: never',
      );
    }
    // undefined where an input was bad: that is reported already.
    const login = server?.login?.user ?? '';
    const sender = from === null && isAddress(login) ? login : from;
    if (sender === null)
      throw new InputError('mail-from', 'is missing, and the login is not a mail address', 'Give the sender');
    return { server, from: sender, to, on };
  });
}

function isAddress(text: string): boolean {
  try {
    return mailAddress.parse(text) === text;
  } catch {
    return false;
  }
}

function readMailServer(text: string): MailServer {
  const name = 'smtp-url';
  const hint = 'Give smtps://user:password@host:465, or smtp://user:password@host:587 for STARTTLS';
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^smtps?:$/.test(url.protocol))
    throw new InputError(name, 'is not an smtp or smtps address', hint);
  const { hostname, port, username, password } = url;
  const isOpen = url.search === '?tls=none';
  if (!/^\/?$/.test(url.pathname) || (url.search !== '' && !isOpen) || url.hash !== '' || port === '0') {
    const escaped = 'Write / ? # @ : in a name or password as %2F %3F %23 %40 %3A';
    throw new InputError(name, 'continues after the host, or has a character that must be escaped', escaped);
  }
  const host = hostname.replace(/^\[|\]$/g, '');
  if (!isHost(host)) throw new InputError(name, 'names no host', hint);
  if ((username === '') !== (password === ''))
    throw new InputError(name, 'has only half a login: a name or a password is missing', hint);
  const isTls = url.protocol === 'smtps:';
  if (isOpen && (isTls || username !== ''))
    throw new InputError(
      name,
      'has ?tls=none, but also a login or smtps://',
      'Without TLS a password would be seen: remove ?tls=none, or name a server that needs no login, as smtp://host:25?tls=none',
    );
  return {
    host,
    port: port === '' ? (isTls ? 465 : isOpen ? 25 : 587) : Number(port),
    tls: isTls ? 'implicit' : isOpen ? 'none' : 'starttls',
    login: username === '' ? null : { user: decoded(username, name), password: masked(password, name) },
  };
}

function isHost(host: string): boolean {
  try {
    return grammar.hostName.parse(host) !== '';
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
