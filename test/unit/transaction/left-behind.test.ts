// Which containers an earlier rollback has left behind: in a real bash, with a Docker that answers as its template asks.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';

const script = join(import.meta.dirname, '../../../shared/survey/left-behind.sh');
const [left, other] = ['20261127_015815', '20261120_015815'] as const;

/** @param containers `id state name transaction`, of the service `web` */
function leftBehind(...containers: readonly string[]): string {
  const lines = containers.map((each) => {
    const [id, state, name, transaction = ''] = each.split(' ');
    return `${id}\t${state}\t/${name}\t"web"\t"${transaction}"\n`;
  });
  const call = `set -euo pipefail; source "$1"
    left_transactions() { printf '%s\\n' ${left}; }
    docker() { printf '%s' "$answer"; }
    left_behind folder ids`;
  const env = { ...process.env, answer: lines.join('') };
  const { status, stdout, stderr } = spawnSync('bash', ['-c', call, 'bash', script], { env, encoding: 'utf8' });
  assert.deepEqual([status, stderr], [0, '']);
  return stdout.trim().replaceAll('\n', ', ');
}

describe('left behind by an earlier rollback', () => {
  const table: [what: string, containers: string[], expected: string][] = [
    ['nothing', ['a running web-1'], ''],
    ['nothing by one that succeeded', [`a running web-1 ${other}`, `b exited web-2 ${other}`], ''],
    ['the old container', [`a exited web-1.${left}`, `b running web-1 ${left}`], 'aside a'],
    ['the old container, beside a target that ended', [`a exited web-1.${left}`, `b exited web-1 ${left}`], 'aside a'],
    ['not one that somebody has started again', [`a running web-1.${left}`, `b exited web-1 ${left}`], 'aside b'],
    ['a target that was only made', ['a running web-1', `b created web-2 ${left}`], 'aside b'],
    ['a target that runs beside the old one', ['a running web-1', `b running web-2 ${left}`], 'beside b'],
    ['not what is alone', [`a exited web-1.${left}`], ''],
    ['not the only target', [`a created web-1 ${left}`], ''],
    ['not one of several targets', [`a running web-1 ${left}`, `b exited web-2 ${left}`], ''],
    ['even if its folder is gone', [`a exited web-1.${other}`, 'b running web-1'], 'aside a'],
  ];
  for (const [what, containers, expected] of table) {
    test(what, () => assert.equal(leftBehind(...containers), expected));
  }
});
