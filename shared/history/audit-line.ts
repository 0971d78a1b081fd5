import { byText } from '../by-text.ts';
import { cleanLine } from '../clean.ts';
import type { HistoryRecord } from './record.ts';

/**
 * The record as a line for people, without its line break:
 * `<time> <event> <status> <verdict> <service>=<tag>@<digest>… by=<actor> run=<url> id=<id>`. Unknown values are a dash.
 */
export function auditLine({ at, event, status, verdict, release, actor, runUrl, id }: HistoryRecord): string {
  const services = Object.entries(release)
    .toSorted(([a], [b]) => byText(a, b))
    .map(([service, { tag, digest, imageId }]) => `${service}=${tag ?? '-'}@${digest ?? imageId ?? '-'}`);
  return [at, event, status, verdict, ...services, `by=${word(actor)}`, `run=${word(runUrl)}`, `id=${id}`].join(' ');
}

function word(value: string | null): string {
  return value === null ? '-' : cleanLine(value, 300).replace(/\s+/g, '_') || '-';
}
