// What a webhook and an auditor get, and what the pages say that they get, are the same.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { evidenceDocument, webhookDocument } from '../../../shared/notify/documents.ts';
import { noticeOf } from '../../../shared/notify/notice.ts';

const at = new Date('2026-11-27T02:17:00Z');
/** Nothing is left out of it. */
const notice = noticeOf(
  {
    action: 'verify-action',
    environment: 'prod',
    startedAt: at,
    finishedAt: at,
    run: { url: 'u', repository: 'r', id: '7', attempt: '1', event: 'schedule', actor: 'octocat', commit: 'c' },
    outputs: { status: 'verified' },
  },
  {
    verdict: 'success',
    outcome: 'x',
    remarks: [],
    database: 'shop',
    backup: { id: '20261127_021700', sizeBytes: 1, sha256: 'a', file: '/x' },
    lastGood: { id: '20261127_021700', takenAt: at },
    offsite: { uri: 's3://acme/x', copied: true, sha256: 'a', confirmation: 'reported' },
    restored: { id: '20261127_021700', sha256: 'a', copy: 's3://acme/x' },
    checks: [{ name: 'rows', group: 'drill', result: 'passed', severity: 'error', detail: 'x', ms: 1 }],
    recoveryMs: 1,
  },
  { exitCode: 0, isCancelled: false, failure: null },
  String,
);

const codesIn = (text: string) => Array.from(text.matchAll(/`([^`]+)`/g), ([, code = '']) => code);

/** What the table of a page says of each field. */
function fieldsIn(page: string): Map<string, string> {
  const text = readFileSync(join(import.meta.dirname, '../../../docs', page), 'utf8');
  const [, table = ''] = /\| field \| meaning \|\n\|[ |-]+\n((?:\|.*\n)+)/.exec(text) ?? [];
  const rows = table.trim().split('\n');
  return new Map(
    rows.flatMap((row) => {
      const [, names = '', meaning = ''] = row.split('|');
      const [first = '', last = ''] = codesIn(names);
      const fields = names.includes(' to ') ? between(first, last) : codesIn(names);
      return fields.map((name) => [name, meaning] as const);
    }),
  );
}

const webhookFields = fieldsIn('notices.md');

/** Those that the page on webhooks explains. */
function between(first: string, last: string): string[] {
  const names = [...webhookFields.keys()];
  return names.slice(names.indexOf(first), names.indexOf(last) + 1);
}

const documents: [what: string, written: string, fields: Map<string, string>][] = [
  ['webhook', webhookDocument(notice), webhookFields],
  ['evidence', evidenceDocument(notice, 65_536), fieldsIn('evidence.md')],
];
for (const [what, written, fields] of documents) {
  test(`the page on the ${what} has every field, in the order in which it comes, and no other`, () => {
    const document: Record<string, unknown> = JSON.parse(written);
    assert.deepEqual([...fields.keys()], Object.keys(document));
    assert.match(fields.get('schema') ?? '', new RegExp(`\`${document['schema']}\``));
  });

  test(`the page on the ${what} names what each field holds`, () => {
    for (const [name, value] of Object.entries(JSON.parse(written))) {
      const [held] = [value].flat();
      if (name === 'outputs' || held === null || typeof held !== 'object') continue;
      const told = codesIn(fields.get(name) ?? '').concat(codesIn(webhookFields.get(name) ?? ''));
      for (const key of Object.keys(held)) assert.ok(told.includes(key), `${name}.${key}`);
    }
  });
}
