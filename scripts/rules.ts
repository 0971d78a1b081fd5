// Rules whose loss would hurt whoever relies on us, each with the test that must notice it: see mutate.ts.
import { backupsRules } from './rules/backups.ts';
import { drillRules } from './rules/drill.ts';
import { hostRules } from './rules/host.ts';
import { notifyRules } from './rules/notify.ts';
import { offsiteRules } from './rules/offsite.ts';
import { postgresRules } from './rules/postgres.ts';
import { restoreRules } from './rules/restore.ts';
import { rollbackRules } from './rules/rollback.ts';
import type { Rule } from './rules/rule.ts';
import { setsRules } from './rules/sets.ts';
import { transactionRules } from './rules/transaction.ts';

export const rules: readonly Rule[] = [
  ...backupsRules,
  ...drillRules,
  ...hostRules,
  ...notifyRules,
  ...offsiteRules,
  ...postgresRules,
  ...restoreRules,
  ...rollbackRules,
  ...setsRules,
  ...transactionRules,
];
