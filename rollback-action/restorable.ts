import type { Plan } from '../shared/plan/plan.ts';
import type { RunningImage } from '../shared/releases/release.ts';
import type { BackupSource } from '../shared/restore/backup-source.ts';
import type { MissingRoles } from '../shared/restore/roles.ts';
import type { Server } from '../shared/restore/server.ts';
import type { Manifest } from '../shared/sets/manifest.ts';
import type { DatabaseExchange } from '../shared/transaction/transaction-files.ts';

/** What is restored where. */
export interface Restorable {
  /** The plan of the rollback, with the restore in it. */
  plan: Plan;
  source: BackupSource;
  manifest: Manifest;
  server: Server;
  /** For commands that people type. */
  containerName: string;
  /** How the databases exchange their names. */
  exchange: DatabaseExchange;
  /** How the restored database is made. */
  madeAs: string;
  roles: MissingRoles;
  /** Statements; null: the restored database gets the settings of the live one. */
  settings: string | null;
  dataFolder: string;
  /** The user's own statements; null if there are none. */
  afterSql: string | null;
  /** The images of the target by which the backup was found; empty if it was named. */
  pairedWith: ReadonlyMap<string, RunningImage>;
  /** Names of services in the order in which they start. */
  order: string[];
}
