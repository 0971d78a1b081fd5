import { Failure } from '../failure.ts';
import { inTime, reasonOf } from '../reaching.ts';

/** A server that takes mail. */
export interface MailServer {
  host: string;
  port: number;
  /** TLS from the first byte; else from STARTTLS on. */
  isTls: boolean;
  /** null where it asks for none. */
  login: { user: string; password: string } | null;
}

/** Milliseconds, from the connection to the login. */
const patience = 20_000;

/**
 * Connects to the server and logs in; no mail is begun. A login is said over TLS alone.
 *
 * @throws Failure `mail-unusable`
 */
export async function reachMailServer({ host, port, isTls, login }: MailServer, signal: AbortSignal): Promise<void> {
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    host,
    port,
    secure: isTls,
    requireTLS: login !== null,
    // One that does not ask for a login does not take it either.
    ...(login !== null && { auth: { user: login.user, pass: login.password }, forceAuth: true }),
    connectionTimeout: patience,
    greetingTimeout: patience,
    socketTimeout: patience,
  });
  try {
    await inTime(patience, signal, transport.verify());
  } catch (error) {
    signal.throwIfAborted();
    const { code = '' } = error as { code?: string };
    throw new Failure('mail-unusable', `${host}:${port} ${said[code] ?? 'cannot be reached'}: ${reasonOf(error)}`, {
      hint:
        remedies[code] ??
        'Correct "smtp-url"; see whether the network of the runner lets it through: many block port 25',
    });
  } finally {
    transport.close();
  }
}

const said: Record<string, string> = {
  EAUTH: 'does not take the login',
  ETLS: 'offers no TLS, and a login is said over nothing else',
};
const remedies: Record<string, string> = {
  EAUTH: 'Correct name and password in "smtp-url"; characters such as @ and : are written as %40 and %3A there',
  ETLS: 'Use smtps:// with its port, mostly 465, or a server that knows STARTTLS',
};
