import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import type { Certificate } from './certificate.ts';

/** A server that takes mail from those who log in. */
export interface MailServer {
  port: number;
  user: string;
  password: string;
  /** How often somebody has logged in. */
  logins(): number;
  /** Senders of the mails that were begun. */
  senders(): string[];
  close(): Promise<void>;
}

/** @param tls `starttls`, from the first byte, or none at all */
export async function startMailServer(
  { key, cert }: Certificate,
  tls: 'starttls' | 'implicit' | 'none',
  { takesLogins = true } = {},
): Promise<MailServer> {
  const user = 'robot@example.org';
  const password = `${randomBytes(8).toString('hex')}:/@%`;
  const senders: string[] = [];
  let logins = 0;
  const server = new SMTPServer({
    key,
    cert,
    secure: tls === 'implicit',
    disabledCommands: [...(tls === 'none' ? ['STARTTLS'] : []), ...(takesLogins ? [] : ['AUTH'])],
    allowInsecureAuth: tls === 'none',
    onAuth(given, _session, done) {
      const isGood = given.username === user && given.password === password;
      if (isGood) logins += 1;
      done(isGood ? null : Object.assign(new Error('Invalid username or password'), { responseCode: 535 }), { user });
    },
    onMailFrom({ address }, _session, done) {
      senders.push(address);
      done();
    },
  });
  // A client that does not trust it breaks off: that is no error of the server's.
  server.on('error', () => {});
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  return {
    port: (server.server.address() as AddressInfo).port,
    user,
    password,
    logins: () => logins,
    senders: () => senders,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
