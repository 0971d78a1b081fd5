// What the runner hands to the host, and how the host reads it: shared/transaction/journal.sh in a real bash.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { readComposeCall } from '../../../shared/survey/compose-call.ts';
import { parseJournal } from '../../../shared/transaction/journal.ts';
import { type TransactionRequest, transactionFiles } from '../../../shared/transaction/transaction-files.ts';
import { hex } from '../history/records.ts';
import { plain } from './plain-request.ts';

const script = join(import.meta.dirname, '../../../shared/transaction/journal.sh');

const planOf = (changes: Partial<TransactionRequest> = {}) =>
  transactionFiles({ ...plain, ...changes }).get('plan.tsv') ?? '';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'transaction-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs lines of bash in the folder of a transaction, after the part of the engine that is about its files. */
function bash(code: string, ...parameters: string[]): string {
  const { stdout, stderr, status } = spawnSync(
    'bash',
    ['--norc', '-c', `set -uo pipefail; source "$1"; shift; ${code}`, 'bash', script, ...parameters],
    {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    },
  );
  assert.equal(stderr, '');
  assert.equal(status, 0, stdout);
  return stdout;
}

describe('the files', () => {
  test('are the plan, the compose files, and a record for each way in which it may end', () => {
    const { 'plan.tsv': _, ...others } = Object.fromEntries(transactionFiles(plain));
    assert.deepEqual(others, {
      'plan.json': '{}\n',
      'override.yml': 'services: {}\n',
      'revert.yml': 'services: {a: b}\n',
      'outcome/rolled-back.json': '{"a":1}',
      'outcome/rolled-back.log': 'a',
      'outcome/reverted.json': '{"b":1}',
      'outcome/reverted.log': 'b',
      'outcome/failed.json': '{"c":1}',
      'outcome/failed.log': 'c',
      'outcome/hold': 'reason=x\n',
    });
  });

  test('have no HOLD where none is wanted', () => {
    const outcome = { ...plain.outcome, hold: null };
    assert.ok(!transactionFiles({ ...plain, outcome }).has('outcome/hold'));
    assert.match(planOf({ outcome }), /^hold\tfalse$/m);
    assert.match(planOf(), /^hold\ttrue$/m);
  });
});

describe('the plan for the host', () => {
  test('has times in whole seconds, never less than was asked, but the downtime in milliseconds', () => {
    const plan = planOf({ stopTimeout: 1_001, healthTimeout: 0, stableFor: 999, lockWait: 60_000, maxDowntime: 1_500 });
    for (const line of [
      'stop_timeout\t2',
      'health_timeout\t0',
      'stable_for\t1',
      'lock_wait\t60',
      'max_downtime\t1500',
    ]) {
      assert.ok(plan.split('\n').includes(line), line);
    }
    assert.doesNotMatch(planOf({ stopTimeout: null }), /stop_timeout/);
    assert.doesNotMatch(planOf(), /max_downtime/);
    assert.match(planOf({ maxDowntime: 0 }), /^max_downtime\t0$/m);
  });

  const urls: [url: string, lines: string[]][] = [
    [
      'http://shop.example',
      [
        'health_url\thttp://shop.example/',
        'health_host\tshop.example',
        'health_port\t80',
        'health_path\t/',
        'health_name\tshop.example',
      ],
    ],
    [
      'http://127.0.0.1:8080/health?deep=1#x',
      [
        'health_url\thttp://127.0.0.1:8080/health?deep=1#x',
        'health_host\t127.0.0.1',
        'health_port\t8080',
        'health_path\t/health?deep=1',
        'health_name\t127.0.0.1:8080',
      ],
    ],
    [
      'http://[::1]:8080/',
      [
        'health_url\thttp://[::1]:8080/',
        'health_host\t::1',
        'health_port\t8080',
        'health_path\t/',
        'health_name\t[::1]:8080',
      ],
    ],
    ['https://shop.example/health', ['health_url\thttps://shop.example/health']],
  ];
  for (const [url, lines] of urls) {
    test(`tells how to ask ${url}`, () => {
      const asked = planOf({ healthUrl: new URL(url) })
        .split('\n')
        .filter((line) => /^health_(?!timeout)/.test(line));
      assert.deepEqual(asked, lines);
    });
  }

  test('is read by the host as it was written', () => {
    const odd = ' a "b" $(id) `id` \\n * é -n ';
    writeFileSync(
      join(folder, 'plan.tsv'),
      planOf({
        deployDir: `/srv/${odd}`,
        compose: readComposeCall(['file a.yml', `file ${odd}`, 'file b=c.yml', 'env-file -x', 'variable TAG=v 2']),
        holder: odd,
      }),
    );
    const read = bash(`read_plan
      for key in deploy_dir holder project project_state token history_id on_failure; do printf '%s\\n' "\${plan[$key]}"; done
      printf '<%s>\\n' "\${call[@]}"
      for name in "\${services[@]}"; do
        printf '%s|' "$name" "\${strategy[$name]}" "\${target_image[$name]}" "\${retag[$name]}" "\${fixed_name[$name]}"
        echo
      done`);
    assert.deepEqual(read.split('\n'), [
      `/srv/${odd}`,
      odd,
      'shop',
      hex('project state'),
      '0123456789abcdef',
      '4711-1-0123abcd',
      'revert',
      '<file a.yml>',
      `<file ${odd}>`,
      '<file b=c.yml>',
      '<env-file -x>',
      '<variable TAG=v 2>',
      `api|recreate|sha256:${hex('api')}|ghcr.io/acme/api:latest|shop-api|`,
      `web|blue-green|sha256:${hex('web')}|-|-|`,
      '',
    ]);
  });

  const [api] = plain.services;
  const unfit: [what: string, changes: Partial<TransactionRequest>][] = [
    ['a tab', { deployDir: '/opt/a\tb' }],
    ['a line break', { holder: 'x\nservice\tevil' }],
    ['a carriage return', { compose: readComposeCall(['file a\rb']) }],
    ['a NUL', { compose: readComposeCall(['env-file a\0b']) }],
    ['nothing', { project: '' }],
    ['an image that is not known', { services: api === undefined ? [] : [{ ...api, targetImageId: '' }] }],
  ];
  for (const [what, changes] of unfit) {
    test(`is refused with ${what} in a value`, () => {
      assert.throws(() => transactionFiles({ ...plain, ...changes }), { name: 'Failure', code: 'bad-value' });
    });
  }
});

describe('the journal as the host writes it', () => {
  const file = () => join(folder, 'journal');
  const read = () => parseJournal(readFileSync(file(), 'utf8')).map(({ step, detail }) => [step, detail]);

  test('has a line for each step, whatever the detail is', () => {
    const before = Date.now();
    bash('journal begin; journal problem "$1"; journal left "$2"', 'a\tb\nc\rd -n %s \\n', 'x'.repeat(5_000));
    assert.deepEqual(read(), [
      ['begin', ''],
      ['problem', 'a b c d -n %s \\n'],
      ['left', 'x'.repeat(1_000)],
    ]);
    const [first] = parseJournal(readFileSync(file(), 'utf8'));
    assert.ok(first !== undefined && first.at >= before - 1 && first.at <= Date.now() + 1);
  });

  test('is asked for a step with its detail, in whole lines', () => {
    writeFileSync(file(), '1\tbegin\t\n2\tretagged\tweb app\n3\tcommit\t');
    const asked = bash(`for each in begin commit retagged nothing; do has "$each" && echo "$each"; done
      has retagged 'web app' && echo exactly; has retagged web || echo other; has begin '' && echo empty`);
    assert.deepEqual(asked.split('\n'), ['begin', 'retagged', 'exactly', 'other', 'empty', '']);
    rmSync(file());
    assert.equal(bash('has begin || echo none'), 'none\n');
  });

  test('has one reason why it failed: the first', () => {
    bash('broken unhealthy "web is unhealthy" || broken crashed x || true');
    assert.deepEqual(read(), [['failure', 'unhealthy web is unhealthy']]);
  });

  test('goes on behind a line that was cut, wherever it was cut', () => {
    const line = '1790000000123\tmeasured\tweb 104 2 80';
    for (let length = 1; length <= line.length; length += 7) {
      writeFileSync(file(), `1\tbegin\t\n${line.slice(0, length)}`);
      assert.equal(
        bash('journal ended reverted; journal problem x; has ended reverted && has problem x && echo yes'),
        'yes\n',
      );
      const whole = read().filter(([step]) => step !== 'measured');
      assert.deepEqual(
        whole,
        [
          ['begin', ''],
          ['ended', 'reverted'],
          ['problem', 'x'],
        ],
        `cut at ${length}`,
      );
    }
  });

  test('gets its room from the reserve where the disk is full, behind what was cut by that', () => {
    // The second line comes out half, as on a disk that fills up with it.
    bash(`printf() {
        if [[ -e reserve && $1 == *'\\t'* ]]; then builtin printf 17900000; return 1; fi
        builtin printf "$@"
      }
      journal begin
      : >reserve
      journal ended reverted`);
    assert.deepEqual(read(), [
      ['begin', ''],
      ['ended', 'reverted'],
    ]);
  });
});
