import type { Mailing, MailServer } from './mail.ts';
import type { Webhook } from './webhook.ts';

/** Whom to tell how a run went. */
export interface NoticeInputs {
  /** A secret: anybody who knows it can send a ping. */
  pingUrl: URL | null;
  mailServer: MailServer | null;
  /** null: no mail is sent. */
  mailing: Mailing | null;
  webhook: Webhook | null;
  /** Whether the evidence of the run is kept as an artifact. */
  evidence: 'none' | 'artifact';
}

/** What is known of a run from its inputs alone; null if an input is bad, or not given. */
export interface Addressed extends NoticeInputs {
  environment: string | null;
  database: string | null;
}

/** Hears whom to tell, and of what. */
export type OnNoticeInputs = (addressed: Addressed) => void;
