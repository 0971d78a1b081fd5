import { type Finding, Findings } from '../drill/finding.ts';
import { judgeData } from '../drill/judge-data.ts';
import type { RestoredData } from '../drill/restored.ts';
import { Failure } from '../failure.ts';
import type { Manifest } from '../sets/manifest.ts';

/** What no backup of the database holds: another one would not help, and the old database is kept. So this prevents no restore. */
const inNoBackup = 'left out';

/**
 * Compares a restored copy with its manifest, as a drill does.
 * @returns all findings, also those that did not pass and do not prevent the exchange
 * @throws Failure `restore-differs` if it is not what was dumped
 */
export function judgeRestored(manifest: Manifest, data: RestoredData): Finding[] {
  const findings = new Findings('drill');
  judgeData(findings, manifest, data, 'Restore another backup');
  const [first, ...others] = findings.list.filter(
    ({ name, result, severity }) => result === 'failed' && severity === 'error' && name !== inNoBackup,
  );
  if (first === undefined) return findings.list;
  throw new Failure(
    'restore-differs',
    `What was restored is not what ${manifest.id} held: ${first.name}: ${first.detail}`,
    {
      hint: [
        ...others.map(({ name, detail }) => `${name}: ${detail}`),
        `The database is untouched. ${first.remedy ?? 'Restore another backup'}`,
      ].join('\n'),
    },
  );
}
