import type { Outcome } from '../../../shared/transaction/journal.ts';

/** The outcome of a transaction that has done nothing yet. */
export const nothing: Outcome = {
  ending: null,
  failure: null,
  left: false,
  dockerRestarted: false,
  held: false,
  problems: [],
  reloaded: [],
  foundStopped: [],
  measurements: [],
  downtimeMs: null,
  failedRequests: null,
};
