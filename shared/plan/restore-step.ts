/** The restore of the database, as part of a rollback. */
export interface RestoreStep {
  /** Id of the backup. */
  backupId: string;
  /** SHA-256 of its dump, in hex. */
  sha256: string;
  /** URI of its copy in the bucket; null if it is the host's own. */
  copy: string | null;
  /** When it was taken; ISO 8601, UTC. */
  takenAt: string;
  /** The database that it was taken from. */
  source: string;
  /** The database that it replaces. */
  database: string;
  /** SHA-256 of the statements that run in it before anybody connects; null if there are none. */
  afterSqlSha256: string | null;
  /** The services that are stopped meanwhile although they keep their release, and why. In the order in which they start again. */
  restarted: { service: string; imageId: string; why: string }[];
  /** What it takes, in space and time: printed lines. */
  costs: string[];
  /** What is given up: printed lines. */
  givenUp: string[];
}
