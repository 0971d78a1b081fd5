import type { Manifest } from './manifest.ts';

/** What most tables, sequences and sets have in common is left out: a database may have many. Readers put it in again. */
const defaults = new Map<string, unknown>([
  ['root', null],
  ['extension', null],
  ['isDumped', true],
  ['unnamed', null],
  ['generates', false],
  ['content', null],
  ['largestValue', null],
  ['cycles', false],
  ['sealedFrom', null],
]);

/** The text of a manifest's file. */
export const manifestText = (manifest: Manifest): string => `${JSON.stringify(manifest, withoutDefaults, 2)}\n`;

const withoutDefaults = (key: string, value: unknown) =>
  defaults.has(key) && defaults.get(key) === value ? undefined : value;
