import { relationName } from '../postgres/relation-name.ts';
import type { SequenceRange } from '../sets/manifest.ts';
import { counted } from '../units.ts';
import { type Problem, some } from './finding.ts';
import type { RestoredData } from './restored.ts';

/** Checks that each sequence is where it was. */
export function judgeSequences(
  wanted: readonly SequenceRange[],
  found: RestoredData['sequences'],
  remedy: string,
): string | Problem {
  const values = new Map(found.map((sequence) => [relationName(sequence), sequence.value]));
  const bad = wanted.filter((sequence) => !isWithin(sequence, values.get(relationName(sequence))));
  const [fault, known] = [bad.filter(({ isDumped }) => isDumped), bad.filter(({ isDumped }) => !isDumped)];
  const told = (sequences: readonly SequenceRange[]) =>
    some(
      sequences.map(
        (sequence) =>
          `${relationName(sequence)} is at ${values.get(relationName(sequence)) ?? 'nothing'}, not between ${sequence.before ?? 'nothing'} and ${sequence.after ?? 'nothing'}`,
      ),
    );
  if (fault.length > 0) {
    const behind = fault.every((sequence) => isBehind(sequence, values.get(relationName(sequence))));
    return { detail: told(fault), remedy: behind ? `${setBack} ${remedy}` : remedy };
  }
  const [first] = known;
  if (first !== undefined) {
    return {
      detail: `${told(known)}: pg_dump leaves out sequences of the extension ${first.extension}`,
      remedy: `After a restore, set it: SELECT setval('${relationName(first).replaceAll("'", "''")}', ${first.after ?? 1})`,
      severity: 'warning',
    };
  }
  if (wanted.length === 0) return 'none';
  const unbound = wanted.filter((sequence) => !isBound(sequence)).length;
  const where = `${counted(wanted.length, 'sequence')}, each where it was when the dump was taken`;
  return unbound === 0 ? where : `${where}; ${unbound} of them started over or could have, so any value counts`;
}

/** The sequence was read before and after the dump, and moves only in the direction of its increment. */
function isWithin(sequence: SequenceRange, value: string | null | undefined): boolean {
  const { before, after } = sequence;
  if (value === undefined) return false;
  if (!isBound(sequence)) return true;
  if (value === null) return before === null;
  if (after === null) return false;
  return ahead(value, after, sequence) <= 0n && (before === null || ahead(value, before, sequence) >= 0n);
}

/**
 * It moved while the dump was taken, and came back behind where it was before. One that was set back meanwhile and has since passed
 * its old value looks the same as one that a restore did not bring back: the values before and after do not tell.
 */
function isBehind(sequence: SequenceRange, value: string | null | undefined): boolean {
  const { before, after } = sequence;
  if (value === undefined || before === null || before === after) return false;
  return value === null || ahead(value, before, sequence) < 0n;
}

const setBack =
  'If something set it back while the dump was taken (setval, ALTER SEQUENCE … RESTART, TRUNCATE … RESTART IDENTITY), the backup is as good as the others. Otherwise:';

/** False for one that starts over at its end, or was set back meanwhile: it may have had any value. */
function isBound(sequence: SequenceRange): boolean {
  const { before, after, cycles } = sequence;
  if (cycles) return false;
  return before === null || (after !== null && ahead(after, before, sequence) >= 0n);
}

/** How far `value` is ahead of `bound`, in the direction of the increment. */
function ahead(value: string, bound: string, { increment }: SequenceRange): bigint {
  return (BigInt(value) - BigInt(bound)) * (BigInt(increment) < 0n ? -1n : 1n);
}
