// Very many sets and transactions, planted at once: what years of nights leave, or a folder that never pruned.
import { createHash } from 'node:crypto';
import { linkSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { giveTo } from '../lab/account.ts';
import { run } from '../lab/command.ts';
import type { Host } from '../lab/host.ts';
import type { ManifestJson } from './sets.ts';

/** The id of a set, and the folders that it stands in. */
export type Planted = readonly [id: string, tiers: readonly string[]];

/** Lets a set be there again under other ids, each whole, with a manifest of its own and links to the rest. */
export async function plantSets(
  host: Host,
  backupDir: string,
  source: ManifestJson,
  sets: readonly Planted[],
): Promise<void> {
  const root = join(host.deployDir, backupDir);
  const daily = join(root, 'daily');
  const stem = `backup_${source.id}.`;
  const endings = readdirSync(daily).flatMap((name) => (name.startsWith(stem) ? [name.slice(stem.length)] : []));
  const text = (ending: string) => readFileSync(join(daily, stem + ending), 'utf8');
  const manifest = text('manifest.json');
  for (const [id, tiers] of sets) {
    const own = manifest.replaceAll(source.id, id);
    const listed = (kind: 'sha256' | 'md5') =>
      text(kind)
        .replaceAll(source.id, id)
        .replace(
          new RegExp(`^[0-9a-f]+(?=  backup_${id}\\.manifest)`, 'm'),
          createHash(kind).update(own).digest('hex'),
        );
    const texts = new Map([
      ['manifest.json', own],
      ['sha256', listed('sha256')],
      ['md5', listed('md5')],
    ]);
    let first: string | undefined;
    for (const tier of tiers) {
      const folder = tier === 'predeployment' ? join(root, tier, id) : join(root, tier);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      for (const ending of endings) {
        const path = join(folder, `backup_${id}.${ending}`);
        const content = texts.get(ending);
        if (first !== undefined) linkSync(join(first, `backup_${id}.${ending}`), path);
        else if (content !== undefined) writeFileSync(path, content, { mode: 0o600 });
        else linkSync(join(daily, stem + ending), path);
      }
      first ??= folder;
    }
  }
  await giveTo(host.account, root);
}

/** Transactions that came to this end, at these ids; null: to none. Only what is looked at of old ones. */
export async function plantTransactions(
  host: Host,
  backupDir: string,
  transactions: readonly (readonly [id: string, ending: string | null])[],
): Promise<string> {
  const parent = join(host.deployDir, backupDir, 'rollback', 'transactions');
  for (const [id, ending] of transactions) {
    mkdirSync(join(parent, id, 'evidence'), { recursive: true, mode: 0o700 });
    const steps = ['begin\t', 'checked\t', 'prepared\t', ...(ending === null ? [] : [`ended\t${ending}`])];
    const lines = steps.map((step, index) => `${1_700_000_000_000 + index}\t${step}\n`);
    writeFileSync(join(parent, id, 'journal'), lines.join(''), { mode: 0o600 });
    writeFileSync(join(parent, id, 'plan.tsv'), `id\t${id}\nhistory_id\t1-1-00000000\n`, { mode: 0o600 });
    writeFileSync(join(parent, id, 'evidence', 'backend.log'), 'a word\n', { mode: 0o600 });
  }
  await run(['chmod', '-R', 'u=rwX,go=', join(host.deployDir, backupDir)]);
  await giveTo(host.account, join(host.deployDir, backupDir));
  return parent;
}
