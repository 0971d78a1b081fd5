import { type Findings, some } from '../../shared/drill/finding.ts';
import type { Restored } from '../../shared/drill/restored.ts';

/** Damage is a fault of the backup. What cannot be read for another reason proves nothing. */
export function judgeIndexes(findings: Findings, { indexes }: Restored, remedy: string): void {
  const { checked, faults, unread } = indexes;
  if (faults.length === 0 && unread.length > 0) {
    const image = 'Check that the image of the database has amcheck and all libraries of its extensions';
    findings.unable('indexes', `could not read all of them: ${some(unread)}`, image);
    return;
  }
  findings.check('indexes', () => {
    if (faults.length > 0) return { detail: some(faults), remedy };
    // The restore has rebuilt constraints and indexes, and fails if one cannot be built.
    if (checked === null) return 'all are valid; not read in full, because the image lacks amcheck';
    return `all are valid; amcheck read ${checked} of them`;
  });
}
