import { createTransport } from 'nodemailer';
import type { Certificate } from './certificate.ts';
import type { MailServer } from './mail-server.ts';
import { startReceiver } from './receiver.ts';

/** Watches one job, as healthchecks.io does: it writes a mail when a ping does not come in time, or tells of a failure. */
export interface Watcher {
  /** Where the job sends its pings. */
  url: string;
  /** What it has taken the job for, in order; empty until the first ping. */
  states(): ('up' | 'down')[];
  close(): Promise<void>;
}

/** @param patience milliseconds from a ping of success, in which the next must come: period and grace time */
export async function startWatcher(
  certificate: Certificate,
  mails: MailServer,
  { job, to, patience }: { job: string; to: string; patience: number },
): Promise<Watcher> {
  const { port, user, password: pass } = mails;
  const transport = createTransport({
    host: 'localhost',
    port,
    requireTLS: true,
    auth: { user, pass },
    tls: { ca: certificate.cert },
  });
  const states: ('up' | 'down')[] = [];
  let overdue: NodeJS.Timeout | undefined;
  const down = (why: string) => {
    states.push('down');
    // The test waits for the mail, and says so if none comes.
    transport.sendMail({ from: user, to, subject: `DOWN: ${job}`, text: why }).catch(() => {});
  };
  const receiver = await startReceiver(certificate, ({ path }) => {
    if (path === '/job/start') return;
    clearTimeout(overdue);
    if (path === '/job/fail') down('The job says that it has failed');
    else {
      states.push('up');
      overdue = setTimeout(down, patience, 'No ping came in time');
    }
  });
  return {
    url: `https://127.0.0.1:${receiver.port}/job`,
    states: () => states,
    async close() {
      clearTimeout(overdue);
      transport.close();
      await receiver.close();
    },
  };
}
