import type { Findings } from '../../shared/drill/finding.ts';
import type { Restored } from '../../shared/drill/restored.ts';
import { hideSecrets } from '../../shared/report/hide-secrets.ts';
import type { Manifest } from '../../shared/sets/manifest.ts';

/**
 * PostgreSQL prints some conditions in another way after a restore, so a schema that is not identical to the source's is compared
 * with that of a second restore, from the set's schema file.
 */
export function judgeSchema(findings: Findings, { id, schemaSha256 }: Manifest, { schema }: Restored): void {
  const { sha256, ofFile, lines } = schema;
  if (sha256 === schemaSha256) {
    findings.check('schema', () => 'a new dump of it is identical');
  } else if (ofFile === null) {
    findings.unable('schema', 'the backup has no schema file to compare with', 'See the report of the backup');
  } else if ('trouble' in ofFile) {
    const detail = `cannot compare with the schema file of ${id}: ${ofFile.trouble}`;
    findings.unable('schema', detail, 'See the log. Take a backup now and drill it');
  } else {
    findings.check('schema', () =>
      ofFile.sha256 === sha256
        ? 'a new dump of it is identical to one of its schema file, restored in the same way; PostgreSQL prints it differently than in the source'
        : {
            detail: `the dump and its schema file restore to different schemas: ${hideSecrets(...lines).join(' / ') || 'the host has no diff to show the lines'}`,
            remedy:
              'Compare the lines: `-` is in the dump, `+` in the schema file. If something is missing, take a backup now',
            severity: 'warning',
          },
    );
  }
}
