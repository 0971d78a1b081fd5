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
  /** The mails that were taken, as they came. */
  mails(): { to: string[]; text: string }[];
  close(): Promise<void>;
}

/**
 * @param tls `starttls`, from the first byte, or none at all
 * @param options `refused`: a recipient whom it does not know; `wantsLogin`: whether it takes mail from nobody else
 */
export async function startMailServer(
  { key, cert }: Certificate,
  tls: 'starttls' | 'implicit' | 'none',
  { takesLogins = true, wantsLogin = true, refused = '' } = {},
): Promise<MailServer> {
  const user = 'robot@example.org';
  const password = `${randomBytes(8).toString('hex')}:/@%`;
  const senders: string[] = [];
  const mails: { to: string[]; text: string }[] = [];
  let logins = 0;
  const server = new SMTPServer({
    key,
    cert,
    secure: tls === 'implicit',
    disabledCommands: [...(tls === 'none' ? ['STARTTLS'] : []), ...(takesLogins ? [] : ['AUTH'])],
    allowInsecureAuth: tls === 'none',
    authOptional: !wantsLogin,
    onAuth(given, _session, done) {
      const isGood = given.username === user && given.password === password;
      if (isGood) logins += 1;
      done(isGood ? null : Object.assign(new Error('Invalid username or password'), { responseCode: 535 }), { user });
    },
    onMailFrom({ address }, _session, done) {
      senders.push(address);
      done();
    },
    onRcptTo({ address }, _session, done) {
      done(address === refused ? Object.assign(new Error('No such user'), { responseCode: 550 }) : null);
    },
    onData(stream, session, done) {
      let text = '';
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      stream.on('end', () => {
        mails.push({ to: session.envelope.rcptTo.map(({ address }) => address), text });
        done();
      });
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
    mails: () => mails,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
