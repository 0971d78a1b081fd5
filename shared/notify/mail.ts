import { Failure } from '../failure.ts';
import { inTime, reasonOf } from '../reaching.ts';
import { isGood, type Notice } from './notice.ts';
import { headlineOf, htmlOf, textOf } from './text.ts';

/** A server that accepts mail. */
export interface MailServer {
  host: string;
  port: number;
  /** TLS from the first byte, or from STARTTLS on; `none` only where the user says so, and then nobody logs in. */
  tls: 'implicit' | 'starttls' | 'none';
  /** null if the server needs none. */
  login: { user: string; password: string } | null;
}

/** Who gets mail, and about which runs. */
export interface Mailing {
  server: MailServer;
  from: string;
  to: string[];
  on: 'failure' | 'always';
}

/** Milliseconds, for all of it. */
const patience = 20_000;
/** Longer than ours, so that a server that falls silent is reported in the same words at every stage. */
const librarysPatience = patience + 5_000;

/**
 * Sends the notice. A server that does not offer the TLS that is asked for gets no mail.
 * @throws Error with the reason in one line; also if only some get it
 */
export async function sendMail(mailing: Mailing, notice: Notice, signal: AbortSignal): Promise<void> {
  const { server, from, to } = mailing;
  const transport = await transportTo(server);
  try {
    const delivery = await inTime(
      patience,
      signal,
      transport.sendMail({
        from,
        to,
        subject: headlineOf(notice),
        text: textOf(notice),
        html: htmlOf(notice),
        // Keeps out-of-office replies away.
        headers: { 'Auto-Submitted': 'auto-generated' },
        disableFileAccess: true,
        disableUrlAccess: true,
      }),
    );
    if (delivery.rejected.length > 0)
      throw new Error(`it refuses ${delivery.rejected.join(', ')}; the others got the mail`);
  } catch (error) {
    const { code = '' } = error as { code?: string };
    const what = refusals[code] === undefined ? '' : ` ${refusals[code]}`;
    throw new Error(`${server.host}:${server.port}${what}: ${reasonOf(error)}`);
  } finally {
    transport.close();
  }
}

/** Whether this run is to be mailed. */
export function wantsMail({ on }: Mailing, notice: Notice): boolean {
  return on === 'always' || !isGood(notice);
}

/**
 * Connects to the server and logs in, with the TLS that is asked for, without sending mail.
 *
 * @throws Failure `mail-unusable`
 */
export async function reachMailServer(server: MailServer, signal: AbortSignal): Promise<void> {
  const transport = await transportTo(server);
  try {
    await inTime(patience, signal, transport.verify());
  } catch (error) {
    signal.throwIfAborted();
    const { code = '' } = error as { code?: string };
    throw new Failure(
      'mail-unusable',
      `${server.host}:${server.port} ${refusals[code] ?? 'cannot be reached'}: ${reasonOf(error)}`,
      {
        hint:
          remedies[code] ??
          'Correct "smtp-url", and check that the network of the runner allows the connection: many networks block port 25',
      },
    );
  } finally {
    transport.close();
  }
}

async function transportTo({ host, port, tls, login }: MailServer) {
  const { createTransport } = await import('nodemailer');
  return createTransport({
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls !== 'none',
    ignoreTLS: tls === 'none',
    // Log in even if the server does not ask for it: then it rejects the login, and we find out.
    ...(login !== null && { auth: { user: login.user, pass: login.password }, forceAuth: true }),
    dnsTimeout: librarysPatience,
    connectionTimeout: librarysPatience,
    greetingTimeout: librarysPatience,
    socketTimeout: librarysPatience,
  });
}

/** What the server did, by the codes of the library. */
const refusals: Record<string, string> = {
  EAUTH: 'rejects the login',
  ETLS: 'does not offer TLS',
  EENVELOPE: 'refuses the mail',
  EMESSAGE: 'refuses the mail',
};
const remedies: Record<string, string> = {
  EAUTH: 'Correct name and password in "smtp-url"; write characters such as @ and : as %40 and %3A there',
  ETLS: 'Use smtps:// with its port, usually 465, or a server that supports STARTTLS. A relay of your own network that needs no login may have smtp://host:25?tls=none',
};
