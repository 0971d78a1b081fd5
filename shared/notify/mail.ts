import { once } from 'node:events';
import { Failure } from '../failure.ts';

/** A server that takes mail. */
export interface MailServer {
  host: string;
  port: number;
  /** TLS from the first byte; else from STARTTLS on. */
  isTls: boolean;
  /** null where it asks for none. */
  login: { user: string; password: string } | null;
}

/** Milliseconds for each answer of the server. */
const patience = 10_000;

/**
 * Connects to the server and logs in; no mail is begun. A login is said over TLS alone.
 *
 * @throws Failure `mail-login`, `mail-no-tls`, `mail-unreachable`
 */
export async function reachMailServer({ host, port, isTls, login }: MailServer, signal: AbortSignal): Promise<void> {
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    host,
    port,
    secure: isTls,
    requireTLS: login !== null,
    ...(login === null ? {} : { auth: { user: login.user, pass: login.password } }),
    connectionTimeout: patience,
    greetingTimeout: patience,
    socketTimeout: patience,
  });
  const cancelled = once(signal, 'abort').then(() => signal.throwIfAborted());
  try {
    await Promise.race([transport.verify(), cancelled]);
  } catch (error) {
    signal.throwIfAborted();
    throw explained(error as Error & { code?: string }, `${host}:${port}`);
  } finally {
    transport.close();
  }
}

/** What nodemailer says, in our words and its own. */
function explained({ code, message }: Error & { code?: string }, at: string): Failure {
  const said = message.split('\n')[0];
  if (code === 'EAUTH') {
    return new Failure('mail-login', `The mail server ${at} does not take the login: ${said}`, {
      hint: 'Correct name and password in "smtp-url"; characters such as @ and : are written as %40 and %3A there',
    });
  }
  if (code === 'ETLS') {
    return new Failure(
      'mail-no-tls',
      `The mail server ${at} offers no TLS, and a login is said over nothing else: ${said}`,
      {
        hint: 'Use smtps:// with its port, mostly 465, or a server that knows STARTTLS',
      },
    );
  }
  return new Failure('mail-unreachable', `The mail server ${at} cannot be reached from the runner: ${said}`, {
    hint: 'Correct "smtp-url"; see whether the network of the runner lets it through: many block port 25',
  });
}
