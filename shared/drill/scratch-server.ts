import type { ManifestSummary } from '../sets/manifest.ts';

/** How the server of a drill is made like the source: what decides whether a dump restores, and nothing else. */
export interface ScratchServer {
  /** The name of the first superuser; empty if unknown. */
  bootstrapRole: string;
  /** `lc_monetary`, without which columns of type money restore wrongly; empty for the server's own. */
  monetary: string;
  /** Loaded at the start, as far as the image has them. */
  libraries: string[];
  /** Lines of postgresql.conf. */
  configuration: string;
}

/** Libraries that start no process, so that a restore may build its indexes in parallel. */
const withoutWorkers = new Set([
  'auth_delay',
  'auto_explain',
  'passwordcheck',
  'pg_hint_plan',
  'pg_stat_statements',
  'pgaudit',
  'plpgsql',
  'supautils',
]);

/**
 * By these a restore reads values, functions compute what is generated, checked or decides the partition, and long values are made
 * short enough for an index. inside.sh reads them.
 */
export const readingValues: ReadonlySet<string> = new Set([
  'TimeZone',
  'DateStyle',
  'IntervalStyle',
  'default_text_search_config',
  'array_nulls',
  'extra_float_digits',
  'xmlbinary',
  'transform_null_equals',
  'default_toast_compression',
]);

/** What a manifest says of the source's server. Everything that goes into the configuration is quoted here. */
export function scratchServer({
  bootstrapRole,
  serverSettings,
}: Pick<ManifestSummary, 'bootstrapRole' | 'serverSettings'>): ScratchServer {
  const settings = Object.entries(serverSettings ?? {});
  const libraries = librariesIn(serverSettings?.['shared_preload_libraries'] ?? '');
  const monetary = serverSettings?.['lc_monetary'] ?? '';
  const lines = settings
    .filter(([name]) => name.includes('.') || readingValues.has(name))
    .map(([name, value]) => `${name} = ${quoted(value)}`);
  // A job that ran in the copy would do its work twice: mail, payments, whatever it reaches.
  if (!libraries.every((library) => withoutWorkers.has(library))) lines.push('max_worker_processes = 0');
  return {
    // initdb does not take every name that ALTER ROLE … RENAME gives.
    bootstrapRole: isForInitdb(bootstrapRole ?? '') ? (bootstrapRole ?? '') : '',
    monetary: /^(C|POSIX)$/.test(monetary) ? '' : monetary,
    libraries,
    configuration: lines.join('\n'),
  };
}

const isForInitdb = (role: string) => !/['"\\$]/.test(role) && role !== 'none' && !role.startsWith('pg_');

/** A list as PostgreSQL reads it: names between commas, in double quotes or not. Names that no library has are left out. */
function librariesIn(list: string): string[] {
  const names = [...list.matchAll(/"((?:[^"]|"")*)"|[^",\s]+/g)].map(([word, inner]) => inner ?? word);
  return [...new Set(names.filter((name) => /^[\w.$/-]+$/.test(name)))];
}

function quoted(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll('\n', '\\n').replaceAll('\r', '\\r')}'`;
}
