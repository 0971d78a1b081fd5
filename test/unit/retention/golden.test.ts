import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import type { BackupSet } from '../../../shared/sets/catalogue.ts';
import { allTiers, folderOfTier, type Tier } from '../../../shared/sets/layout.ts';
import type { BackupId, BackupKind } from '../../../shared/sets/manifest.ts';
import { backupIdAt, startOf } from '../../../shared/sets/naming.ts';
import { decidePruning, type PruneDecision, pruneNothing } from '../../../shared/sets/retention.ts';
import { decideTiers, type Keep, type RetentionPolicy } from '../../../shared/sets/tiers.ts';
import { afterPruning, HostFolder, verifiedSet } from './host-folder.ts';

// Each golden/*.txt tells a history, one step a line, and after `---` what must come out, written as the log prints it.
// After a change that is meant, UPDATE_GOLDEN=1 writes the files anew: read the difference before you commit it.
const golden = new URL('./golden/', import.meta.url);

for (const name of readdirSync(golden).toSorted()) {
  const url = new URL(name, golden);
  test(name.replace('.txt', '').replaceAll('-', ' '), () => {
    const [steps = '', expected = ''] = readFileSync(url, 'utf8').split(/^---\n/m);
    const told = tell(steps);
    if (process.env['UPDATE_GOLDEN'] !== undefined) writeFileSync(url, `${steps}---\n${told}`);
    else assert.equal(told, expected);
  });
}

/** Plays a history and returns what the last steps printed. */
function tell(steps: string): string {
  const host = new HostFolder();
  const printed: string[] = [];
  let policy: RetentionPolicy = { daily: 7, weekly: 4, monthly: 'all', predeployment: 30, prerollback: 10 };
  let timezone = 'UTC';

  const take = (id: BackupId, kind: BackupKind, database: string): string[] => {
    const tiers = decideTiers({ id, kind, database }, host.catalogue().sets, policy, timezone);
    const entered = tiers.filter(({ enters }) => enters).map(({ tier }) => tier);
    host.add(id, entered, database, kind);
    return [`${id} enters ${entered.join(', ')}`, ...tiers.map(({ reason }) => `  ${reason}`)];
  };
  const prune = (now: BackupId, database: string): string[] => {
    const decisions = decidePruning(host.catalogue().sets, { database, policy, timezone, now: moment(now) });
    host.prune(decisions);
    return [`pruned at ${now}`, ...decisions.map(decisionLine)];
  };

  for (const step of steps.split('\n').filter((line) => line !== '' && !line.startsWith('#'))) {
    const [verb, ...words] = step.split(' ');
    const [first = '', second = '', third = ''] = words;
    switch (verb) {
      case 'keep':
        policy = { ...policy, ...Object.fromEntries(words.map(readKeep)) };
        break;
      case 'timezone':
        timezone = first;
        break;
      case 'set': // set ID TIER,TIER [DATABASE]
        host.add(first, second.split(',') as Tier[], third === '' ? 'app' : third);
        break;
      case 'truncate': // truncate ID TIER BYTES
        host.truncate(first, second as Tier, Number(third));
        break;
      case 'file': // file PATH
        host.files.set(first, 1);
        break;
      case 'take': // take ID [KIND [DATABASE]]: what a run does, all of it printed
        printed.push(
          ...take(first, second === '' ? 'scheduled' : (second as BackupKind), third === '' ? 'app' : third),
        );
        printed.push(...prune(first, third === '' ? 'app' : third));
        break;
      case 'nights': // nights FIRST-ID COUNT: runs 24 hours apart on an empty host, silently
        for (const set of manyNights(moment(first), Number(second), policy, timezone)) {
          host.add(set.id, set.folders as Tier[]);
        }
        break;
      case 'prune': // prune NOW [DATABASE]
        printed.push(...prune(first, second === '' ? 'app' : second));
        break;
      case 'prune-nothing': // prune-nothing WHY...
        printed.push(...pruneNothing(host.catalogue().sets, 'app', words.join(' ')).map(decisionLine));
        break;
      case 'list':
        printed.push(...list(host));
        break;
      default:
        throw new Error(`No step "${verb}"`);
    }
  }
  return `${printed.join('\n')}\n`;
}

/** Nights on an empty host, without its files: years of them would take long. */
function manyNights(first: Date, count: number, policy: RetentionPolicy, timezone: string): BackupSet[] {
  let sets: BackupSet[] = [];
  for (let night = 0; night < count; night++) {
    const now = new Date(first.getTime() + night * 86_400_000);
    const id = backupIdAt(now);
    const tiers = decideTiers({ id, kind: 'scheduled', database: 'app' }, sets, policy, timezone);
    const entered = tiers.filter(({ enters }) => enters).map(({ tier }) => tier);
    sets.push(verifiedSet(id, entered));
    sets = afterPruning(sets, decidePruning(sets, { database: 'app', policy, timezone, now }));
  }
  return sets;
}

function moment(id: BackupId): Date {
  return startOf(id) ?? assert.fail(`${id} is no id`);
}

function readKeep(word: string): [string, Keep] {
  const [tier = '', keep = ''] = word.split('=');
  return [tier, keep === 'all' ? keep : Number(keep)];
}

function decisionLine({ tier, id, reason }: PruneDecision): string {
  return `  ${tier.padEnd(13)} ${id} ${reason}`;
}

function list(host: HostFolder): string[] {
  const { sets, foreign } = host.catalogue();
  const tiers = allTiers.map((tier) => {
    const standing = sets.filter((set) => set.folders.includes(folderOfTier(tier))).map((set) => set.id);
    return `${tier}: ${standing.length === 0 ? 'none' : `${standing.length}, ${standing.join(' ')}`}`;
  });
  return [...tiers, ...foreign.map(({ path }) => `not ours: ${path}`)];
}
