import { Failure } from '../failure.ts';
import { listed } from '../units.ts';
import type { Pairing } from './paired-set.ts';
import type { Plan, PlanNote } from './plan.ts';
import type { SchemaChange } from './schema-change.ts';
import { schemaChanges } from './schema-judgement.ts';

/** What a rollback of images alone refuses: changes that older code may stumble over; also additions and the unknown; nothing. */
export type SchemaGuard = 'destructive' | 'any' | 'off';

/** What two schemas told. */
export type SchemaFinding =
  | { kind: 'same' }
  /** Both texts. */
  | { kind: 'different'; before: string; after: string }
  /** The hashes differ, and that is all that is known. */
  | { kind: 'changed'; why: string }
  | { kind: 'unknown'; why: string };

export interface SchemaVerdict {
  crossed: Plan['schemaCrossed'];
  notes: PlanNote[];
  /** null if the rollback may go on. */
  refusal: Failure | null;
}

/** What the verdict also depends on. */
export interface SchemaCase {
  guard: Exclude<SchemaGuard, 'off'>;
  /** The versions of PostgreSQL that have written the two texts: `15`, `17`. */
  versions: { before: string; after: string };
  /** The backup that would bring the data back with the images. */
  pairing: Pairing;
}

const mostNamed = 12;

/** Judges whether code that was made for the schema then may meet the schema now. */
export function judgeSchema(finding: SchemaFinding, subject: SchemaCase): SchemaVerdict {
  switch (finding.kind) {
    case 'same':
      return {
        crossed: 'no',
        notes: [{ level: 'info', text: 'The database schema is the one that the target ran with' }],
        refusal: null,
      };
    case 'different':
      return judgeTexts(finding, subject);
    case 'changed':
      return unsure(
        'yes',
        `The database schema has changed since the target ran; what has changed is unknown: ${finding.why}`,
        subject,
      );
    case 'unknown':
      return unsure(
        'unknown',
        `Whether the database schema has changed since the target ran is unknown: ${finding.why}`,
        subject,
      );
  }
}

function unsure(crossed: Plan['schemaCrossed'], text: string, subject: SchemaCase): SchemaVerdict {
  return {
    crossed,
    notes: [{ level: 'warning', text }],
    refusal: subject.guard === 'any' ? refused(text, subject) : null,
  };
}

function judgeTexts({ before, after }: { before: string; after: string }, subject: SchemaCase): SchemaVerdict {
  let changes: SchemaChange[];
  try {
    changes = schemaChanges(before, after);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return unsure(
      'yes',
      `The database schema has changed since the target ran; what has changed is unknown: a schema ${error.message}`,
      subject,
    );
  }
  const { versions, guard } = subject;
  const isSameWriter = versions.before === versions.after;
  const texts = (...weights: SchemaChange['weight'][]) =>
    changes.filter(({ weight }) => weights.includes(weight)).map(({ text }) => text);
  const breaking = isSameWriter ? texts('breaking', 'rewritten') : texts('breaking');
  const uncertain = isSameWriter ? [] : texts('rewritten');
  const harmless = texts('harmless');
  const list = (items: readonly string[]) => listed(items, mostNamed, { separator: '; ' });
  const notes: PlanNote[] = [];
  const warn = (text: string) => notes.push({ level: 'warning', text });
  if (breaking.length > 0) warn(`The database schema has changed since the target ran: ${list(breaking)}`);
  if (uncertain.length > 0)
    warn(
      `Altered since the target ran, or just worded differently by PostgreSQL ${versions.after} than by ${versions.before}: ${list(uncertain)}`,
    );
  if (harmless.length > 0)
    warn(
      `Added to the database schema since the target ran, or changed in a way that it need not notice: ${list(harmless)}`,
    );
  if (changes.length === 0) {
    notes.push({
      level: 'info',
      text: 'The database schema has not changed since the target ran in any way that code notices',
    });
  }
  const first = notes.find(({ level }) => level === 'warning');
  const isRefused = breaking.length > 0 || (guard === 'any' && first !== undefined);
  return {
    crossed: changes.length > 0 ? 'yes' : 'no',
    notes,
    refusal: isRefused ? refused(first?.text ?? '', subject) : null,
  };
}

function refused(what: string, { pairing, guard }: SchemaCase): Failure {
  const back =
    pairing.set === null
      ? `restore-database: paired, for which there is no backup from before a deployment${nearest(pairing)}`
      : `restore-database: paired, which is ${pairing.set.id}`;
  const asked = guard === 'any' ? ' (or destructive).' : '.';
  return new Failure('schema-changed', what, {
    hint: `Nothing was stopped. You have three options. To restore the data too, and lose what was written since: ${back}. If the target can cope with the schema of today: schema-guard: off${asked} Or set "target" to another release`,
  });
}

function nearest({ nearly }: Extract<Pairing, { set: null }>): string {
  const [first] = nearly;
  return first === undefined ? '' : `; you can give the id of another one instead, such as ${first.id} (${first.what})`;
}
