import type { Restored } from '../../shared/drill/restored.ts';
import type { Manifest } from '../../shared/sets/manifest.ts';
import type { Findings } from '../finding.ts';

/** Another version of pg_dump may write the same schema differently. */
export function judgeSchema(
  findings: Findings,
  { schemaSha256, pgDumpVersion: ofBackup }: Manifest,
  restored: Restored,
  pgDumpVersion: string | null,
  remedy: string,
): void {
  const isSame = schemaSha256 === restored.schemaSha256;
  if (schemaSha256 === null) {
    findings.unable('schema', 'the backup has no schema to compare with', 'See the report of the backup');
  } else if (!isSame && pgDumpVersion !== ofBackup) {
    const detail = `cannot compare: pg_dump ${pgDumpVersion ?? 'of an unknown version'} may write the same schema differently than ${ofBackup} did`;
    findings.unable('schema', detail, 'Take a backup with the new version and drill it');
  } else {
    findings.check('schema', () =>
      isSame ? 'a new dump of it is identical' : { detail: 'a new dump of it differs', remedy },
    );
  }
}
