import type { TableCount } from '../postgres/facts.ts';
import { listed } from '../units.ts';

const MiB = 1024 ** 2;

/**
 * Bytes that a server needs to read one value of a dump: it holds the line, its fields and the value at the same time. Measured
 * with values of 50, 100 and 200 MiB: text takes 4 times its size, bytea 6 times.
 */
const atLeast = 4;
const atMost = 6;
/** The server itself, with what it keeps of the tables. */
const server = 256 * MiB;

/** What a session that builds indexes is given (`maintenance_work_mem` in drill-inside.sh), with what it needs besides, twice over. */
const perBuilder = 512 * MiB;
const mostBuilders = 8;

/** The most sessions that may build indexes at a time, in a drill with so many bytes of memory. */
export function buildersIn(memory: number): number {
  return Math.max(1, Math.min(mostBuilders, Math.floor(memory / perBuilder)));
}

export interface MemoryShortage {
  /** Names of the tables whose largest values do not fit. */
  tables: string;
  largestValue: number;
}

/** The tables that certainly do not restore with so much memory; null if none is known. */
export function memoryShortage(tables: readonly TableCount[], memory: number): MemoryShortage | null {
  const tooLarge = tables.filter(({ isDumped, largestValue }) => isDumped && (largestValue ?? 0) * atLeast > memory);
  if (tooLarge.length === 0) return null;
  return {
    tables: listed(
      tooLarge.map(({ schema, name }) => `${schema}.${name}`),
      5,
    ),
    largestValue: largestOf(tooLarge) ?? 0,
  };
}

/** Bytes of the largest value of all; null if it is not known. */
export function largestOf(tables: readonly TableCount[]): number | null {
  return tables.reduce<number | null>(
    (most, { largestValue }) => (largestValue === null ? most : Math.max(most ?? 0, largestValue)),
    null,
  );
}

/** What to set `drill-memory` to, as it is written there. @param memory bytes that were too little */
export function enoughMemory(largestValue: number | null, memory: number): string {
  const wanted = largestValue === null ? 2 * memory : Math.max(largestValue * atMost + server, memory + server);
  const quarters = Math.ceil(wanted / server);
  return quarters % 4 === 0 ? `${quarters / 4}GiB` : `${quarters * 256}MiB`;
}
