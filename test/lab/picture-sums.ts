// Which text each picture shows. `npm run pictures` writes the sums of both when it has drawn them, so that neither can change alone.
import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Beside the pictures; sha256sum --check reads it, too. */
export const sumsFile = 'SHA256SUMS';

/** The content of that file, for the pictures and texts as they are now. */
export function sumsOf(folder: string): string {
  return globSync('*.{md,png}', { cwd: folder })
    .toSorted()
    .map((name) => {
      const sum = createHash('sha256').update(readFileSync(join(folder, name)));
      return `${sum.digest('hex')}  ${name}\n`;
    })
    .join('');
}
