// Scratch containers of drills, as tests look for them, and dumps that do something where they are restored.
import { join } from 'node:path';
import { until } from '../lab/faults.ts';
import type { Host } from '../lab/host.ts';
import { hostIsClean } from './expectations.ts';

/** Ids of the scratch containers of a folder's backups: others may drill on the same engine. */
export async function drillsOf(host: Host, backupDir: string): Promise<string[]> {
  const format = '{{.ID}} {{.Label "atlasia.backup"}}';
  const lines = await host.docker('ps', '--all', '--filter', 'label=atlasia.drill', '--format', format);
  const folder = `${join(host.deployDir, backupDir)}/`;
  return lines.split('\n').flatMap((line) => (line.includes(folder) ? [line.slice(0, line.indexOf(' '))] : []));
}

/** No scratch container is left, once a drill is over. */
export async function noDrillLeft(host: Host, backupDir: string): Promise<void> {
  await until('the scratch container is gone', async () => {
    return (await drillsOf(host, backupDir)).length === 0 ? true : undefined;
  });
  await hostIsClean(host);
}

/**
 * A database whose restore runs PL/pgSQL statements in the scratch server, as its superuser, and nowhere else: they stand in
 * a function that an index calls.
 */
export async function databaseThatActs(host: Host, name: string, statements: string): Promise<void> {
  await host.database.create(name);
  await host.psql(
    `CREATE FUNCTION act() RETURNS void LANGUAGE plpgsql AS $act$
     BEGIN
       IF current_setting('unix_socket_directories') = '/tmp/drill' THEN
         ${statements}
       END IF;
     END $act$;
     -- What an index calls may itself change nothing.
     CREATE FUNCTION acting(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM public.act(); RETURN n; END $$;
     CREATE TABLE items AS SELECT 1 AS n;
     CREATE INDEX ON items (acting(n));`,
    name,
  );
}
