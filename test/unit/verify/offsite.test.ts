// What is said of copies off the host, from what was seen there.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Findings } from '../../../shared/drill/finding.ts';
import type { VerifiedSet } from '../../../shared/sets/catalogue.ts';
import { judgeOffsite, type OffsiteFacts } from '../../../verify-action/backups/judge-offsite.ts';
import { exampleManifest } from '../retention/host-folder.ts';

const database = 'shop';
const id = '20261125_021700';

function set(of: string): VerifiedSet {
  const manifest = exampleManifest(of, { database });
  return { state: 'verified', id: of, database, manifest, folders: ['daily'] };
}

const copy = (of: string) => {
  const { manifest } = set(of);
  return { id: of, database, manifest, folderId: null, files: [], isComplete: true, faults: [] };
};

const seen: OffsiteFacts = {
  place: 's3://acme/backups/prod',
  database,
  stored: [copy(id)],
  parts: [],
  newest: { id, how: 'reported', bytes: 9, files: 6, faults: [] },
  host: [set(id)],
  hostFiles: [],
  missing: [],
  isRequired: true,
  maxAge: 26 * 3_600_000,
  now: new Date('2026-11-25T09:00:00Z'),
};

/** What has not passed, by name, with its severity. */
function judged(facts: Partial<OffsiteFacts>): Record<string, string> {
  const findings = new Findings('backups');
  judgeOffsite(findings, { ...seen, ...facts });
  const bad = findings.list.filter(({ result }) => result !== 'passed');
  return Object.fromEntries(bad.map(({ name, severity }) => [name.replace('off-site ', ''), severity]));
}

const later = '20261125_080000';
const examples: [what: string, facts: Partial<OffsiteFacts>, bad: Record<string, string>][] = [
  ['all is there', {}, {}],
  ['the newest set has no copy', { host: [set(later), set(id)], missing: [set(later)] }, { sets: 'error' }],
  [
    'only the size of a large dump is known',
    { newest: { id, how: 'size', bytes: 9, files: 6, faults: [] } },
    { checksum: 'warning' },
  ],
  ['the copy is dated in the future', { now: new Date('2026-11-24T09:00:00Z') }, { newest: 'error' }],
  ['the copy is older than the limit', { maxAge: 6 * 3_600_000 }, { newest: 'error' }],
  [
    'the copy is not what its checksums say',
    { newest: { id, how: 'read', bytes: 9, files: 6, faults: ['the dump does not match'] } },
    { checksum: 'error' },
  ],
  ['the copies are of another database only', { database: 'crm', newest: null, host: [] }, { newest: 'error' }],
  [
    'half a set is there',
    { parts: [{ id: later, files: [], state: 'no-manifest', why: 'it has no manifest' }] },
    { complete: 'error' },
  ],
  ['it need not be there', { stored: [], newest: null, isRequired: false }, { newest: 'warning' }],
];
test('a manifest that the store does not give fails, and is to be brought back: another backup would not do it', () => {
  const findings = new Findings('backups');
  const why = 'its manifest cannot be read. InvalidObjectState';
  judgeOffsite(findings, { ...seen, parts: [{ id, files: [], state: 'unread', why }] });
  const { result, remedy } = findings.list.find(({ name }) => name === 'off-site complete') ?? {};
  assert.equal(result, 'failed');
  assert.match(remedy ?? '', /^Bring these manifests back .*restore-object/);
});

for (const [what, facts, bad] of examples) test(what, () => assert.deepEqual(judged(facts), bad));
