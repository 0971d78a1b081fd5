import type { ServerAccess } from '../postgres/probe.ts';

/** The database server in its container, and the database that is live there. */
export interface Server {
  /** Id of the container. */
  container: string;
  user: string;
  database: string;
  access: ServerAccess;
}

/** How the programs on the host take the way to it. */
export const serverParameters = ({ container, user, access }: Server) => ({
  container,
  user,
  server_host: access.place?.host ?? '',
  server_port: access.place?.port ?? '',
  password_from: access.password ?? '',
});
