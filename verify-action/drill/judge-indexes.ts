import type { Restored } from '../../shared/drill/restored.ts';
import type { Findings } from '../finding.ts';
import { some } from './judge-data.ts';

export function judgeIndexes(findings: Findings, { checkedIndexes, indexFaults }: Restored, remedy: string): void {
  if (indexFaults.length === 0 && checkedIndexes === null) {
    // The restore has rebuilt constraints and indexes, and fails if one cannot be built.
    findings.check('indexes', () => 'all are valid; not read in full, because the image lacks amcheck');
    return;
  }
  findings.check('indexes', () =>
    indexFaults.length === 0
      ? `all are valid; amcheck read ${checkedIndexes} of them`
      : { detail: some(indexFaults), remedy },
  );
}
