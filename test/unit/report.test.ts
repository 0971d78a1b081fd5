import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { type ReportFacts, reportOf } from '../../shared/report/report.ts';
import { restoreCommands } from '../../shared/report/restore-command.ts';
import type { Manifest } from '../../shared/sets/manifest.ts';
import { exampleManifest } from './retention/host-folder.ts';
import { counted } from './table-count.ts';

const id = '20261123_021700';
const previous = exampleManifest('20261122_021700', { sizeBytes: 2_000_000, schemaSha256: 'd'.repeat(64) });

function factsFor(manifest: Manifest, changes: Partial<ReportFacts> = {}): ReportFacts {
  const place = {
    folder: '/opt/app/backups/daily',
    container: 'app-db-1',
    access: { place: null, password: null },
    user: 'app',
    zstdOn: 'host' as const,
  };
  return {
    problems: [],
    host: 'deploy@db1',
    folder: place.folder,
    previous,
    schemaChanges: [],
    tiers: [{ tier: 'daily', enters: true, reason: 'daily: holds every verified backup' }],
    sizes: [previous, manifest].map(({ id, sizeBytes, kind }) => ({ id, bytes: sizeBytes, kind })),
    minSizeRatio: 0.5,
    restore: restoreCommands(manifest, place),
    ...changes,
  };
}

test('the report as an operator finds it', () => {
  const tables = Array.from({ length: 23 }, (_, n) => counted('public', `t${n}`, n * 1000));
  const digest = `sha256:${'e'.repeat(64)}`;
  const manifest = exampleManifest(id, {
    tables,
    finishedAt: '2026-11-23T02:18:13.500Z',
    sizeBytes: 900_000,
    dumpBytes: 8_000_000,
    actor: 'ada',
    commit: 'abcdef0123',
    release: {
      web: { image: 'ghcr.io/acme/web:v1.4.2', tag: 'v1.4.2', digest, imageId: null },
      worker: { image: 'worker', tag: 'latest', digest: null, imageId: `sha256:${'f'.repeat(64)}` },
    },
    checks: [
      { name: 'archive', result: 'passed', detail: 'pg_restore read every entry from the disk', ms: 1200 },
      { name: 'size', result: 'failed', detail: '45 % of the previous', ms: 0 },
      { name: 'rows', result: 'could-not-check', detail: 'row-counts is off', ms: 0 },
    ],
  });
  const text = reportOf(
    manifest,
    factsFor(manifest, {
      problems: ['size: 878.9 KiB, 45 % of 20261122_021700: smaller than min-size-ratio 0.5 allows'],
      schemaChanges: [
        { what: 'added', type: 'TABLE', schema: 'public', name: 'refunds', lines: [] },
        {
          what: 'changed',
          type: 'TABLE',
          schema: 'public',
          name: 'orders',
          lines: ['-     id integer', '+     id bigint'],
        },
        { what: 'removed', type: 'EXTENSION', schema: null, name: 'hstore', lines: [] },
      ],
    }),
  );
  // UPDATE_GOLDEN=1 writes it anew: read the difference before you commit it.
  const golden = new URL('./report.golden.txt', import.meta.url);
  if (process.env['UPDATE_GOLDEN'] !== undefined) writeFileSync(golden, text);
  assert.equal(text, readFileSync(golden, 'utf8'));
});

test('a complete backup is verified, and never called proven', () => {
  const text = reportOf(exampleManifest(id), factsFor(exampleManifest(id)));
  assert.match(text, /^VERIFIED {2}backup 20261123_021700 of "app", prod\n/);
  assert.doesNotMatch(text, /INCOMPLETE|proven/);
});

const schemaLines: [what: string, Partial<Manifest>, Partial<ReportFacts>, RegExp][] = [
  ['the first backup', {}, { previous: null }, /\nSchema changes\n {2}This is the first backup\.\n/],
  ['equal hashes', { schemaSha256: 'd'.repeat(64) }, { schemaChanges: null }, /\n {2}None\.\n/],
  ['no texts to compare', {}, { schemaChanges: null }, /\n {2}It has changed\. The two texts were not compared\.\n/],
  [
    'no schema to compare',
    { schemaSha256: null },
    { schemaChanges: null },
    /since 20261122_021700\n {2}Unknown: the schemas could not be compared\.\n/,
  ],
  ['only another order', {}, {}, /None, except in the order/],
];
for (const [what, changes, facts, expected] of schemaLines) {
  test(`schema changes: ${what}`, () => {
    const manifest = exampleManifest(id, changes);
    assert.match(reportOf(manifest, factsFor(manifest, facts)), expected);
  });
}

test('many changes are counted, not shown', () => {
  const lines = Array.from({ length: 15 }, (_, n) => `+ column ${n}`);
  const change = { what: 'changed', type: 'TABLE', schema: 'public', name: 't', lines } as const;
  const manifest = exampleManifest(id);
  const text = reportOf(manifest, factsFor(manifest, { schemaChanges: Array.from({ length: 21 }, () => change) }));
  assert.match(text, / and 5 more lines\n/);
  assert.match(text, /\n {2}and 1 more object\n/);
});

test('tables that were not counted are listed without a number', () => {
  const tables = [counted('a', 'b', null, { exact: false })];
  const manifest = exampleManifest(id, { tables });
  assert.match(reportOf(manifest, factsFor(manifest)), /\nTables: 1, rows not counted\n {2}- {2}a\.b\n/);
});

test('foreign text can neither break a line, nor hide, nor order anything, nor be wider than the page', () => {
  const nasty = fc.constantFrom(
    '\n::set-output name=a::b',
    '\r',
    '\x1b[2J',
    '\u202e',
    '##[error]',
    'x'.repeat(120),
    ' ',
    '"',
  );
  const foreign = fc
    .array(fc.oneof(nasty, fc.string({ maxLength: 5 })), { maxLength: 8 })
    .map((parts) => `f${parts.join('')}`.replaceAll('\0', '').toWellFormed());
  fc.assert(
    fc.property(foreign, (text) => {
      const manifest = exampleManifest(id, {
        database: text,
        environment: text,
        actor: text,
        serverVersion: text,
        tables: [counted(text, text, 1)],
        extensions: [{ name: text, version: text }],
        checks: [{ name: text, result: 'passed', detail: text, ms: 5 }],
        release: { web: { image: text, tag: null, digest: null, imageId: null } },
      });
      const schemaChanges = [
        { what: 'changed' as const, type: 'TABLE', schema: text, name: text, lines: [`- ${text}`, `+ ${text}`] },
      ];
      const facts = factsFor(manifest, { problems: [text], host: text, folder: text, schemaChanges });
      const [told = '', commands = ''] = reportOf(manifest, facts).split('\nTo restore\n');
      assert.doesNotMatch(told + commands, /[^\P{C}\n]|##\[|^\s*::/mu);
      for (const line of told.split('\n')) assert.ok(line.length <= 100, line);
    }),
    { numRuns: 300 },
  );
});
