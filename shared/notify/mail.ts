import { Failure } from '../failure.ts';
import { inTime, reasonOf } from '../reaching.ts';

/** A server that accepts mail. */
export interface MailServer {
  host: string;
  port: number;
  /** True for TLS from the first byte; otherwise TLS begins with STARTTLS. */
  isTls: boolean;
  /** null if the server needs none. */
  login: { user: string; password: string } | null;
}

/** Milliseconds, from the connection to the login. */
const patience = 20_000;

/**
 * Connects to the server and logs in, without sending mail. Logs in only over TLS.
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
    // Log in even if the server does not ask for it: then it rejects the login, and we find out.
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
        'Correct "smtp-url", and check that the network of the runner allows the connection: many networks block port 25',
    });
  } finally {
    transport.close();
  }
}

const said: Record<string, string> = {
  EAUTH: 'rejects the login',
  ETLS: 'does not offer TLS, which a login requires',
};
const remedies: Record<string, string> = {
  EAUTH: 'Correct name and password in "smtp-url"; write characters such as @ and : as %40 and %3A there',
  ETLS: 'Use smtps:// with its port, usually 465, or a server that supports STARTTLS',
};
