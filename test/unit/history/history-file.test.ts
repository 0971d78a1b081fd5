// The file of the history as the host writes it: shared/history/history.sh in a real bash, on a real folder.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { holdText, parseHold } from '../../../shared/history/hold.ts';
import { recordParameters } from '../../../shared/history/host-file.ts';
import { type HistoryRecord, historyLine, parseHistory } from '../../../shared/history/record.ts';
import { record, release } from './records.ts';

const scripts = ['host/parameters.sh', 'history/history.sh', 'history/record.sh'].map((name) =>
  join(import.meta.dirname, '../../../shared', name),
);

/** As programs on the host begin. */
const frame = `
  set -euo pipefail
  umask 077
  fail() { printf '%s' "$1" >&2; exit 1; }
  source "$1"; source "$2"; source "$3"; shift 3
  program() { p=("$@"); read_parameters && main; }
  "$@"
`;

let folder = '';
const file = (name: string) => join(folder, 'rollback', name);
const history = () => readFileSync(file('history.jsonl'), 'utf8');
const audit = () => readFileSync(file('deployment_tags.log'), 'utf8');
const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'history-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Calls a function of the scripts. */
async function bash(call: string, ...parameters: string[]): Promise<{ code: number; error: string }> {
  const child = spawn('bash', ['-c', frame, 'bash', ...scripts, call, ...parameters], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let error = '';
  child.stderr.on('data', (chunk) => {
    error += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, error };
}

async function append(...records: HistoryRecord[]): Promise<void> {
  assert.deepEqual(await recordOnHost('', records), { code: 0, error: '' });
}

/** Runs the program, which takes its parameters by name. */
function recordOnHost(releaseHold: '' | 'yes', records: readonly HistoryRecord[]): ReturnType<typeof bash> {
  const lists = Object.entries(recordParameters(records));
  const pairs = lists.flatMap(([name, values]) => values.flatMap((value) => [name, value]));
  return bash('program', 'backup_dir', folder, 'release_hold', releaseHold, ...pairs);
}

/** Leaves the file as a power cut does: with the beginning of a line. */
function tear(text: string | Buffer): void {
  mkdirSync(file(''), { recursive: true });
  appendFileSync(file('history.jsonl'), text);
}

const [one, two] = [record({ release: release('web:v1', 'api:v1'), previous: release('web:v0') }), record()];

describe('appending', () => {
  test('makes the folder and both files, for nobody else', async () => {
    await append(one, two);
    assert.deepEqual(parseHistory(history()), { records: [one, two], problems: [] });
    assert.equal(history(), `${historyLine(one)}\n${historyLine(two)}\n`);
    assert.deepEqual(
      audit()
        .split('\n')
        .map((line) => line.split(' ').at(-1)),
      [`id=${one.id}`, `id=${two.id}`, ''],
    );
    assert.equal(mode(file('')), '700');
    assert.equal(mode(file('history.jsonl')), '600');
    assert.equal(mode(file('deployment_tags.log')), '600');
  });

  test('writes what bash would take for its own as it is', async () => {
    const odd = record({ reason: '-n $(id) `id` %s \\n \\\\ "x" * ~ \u2028 é' });
    await append(odd);
    assert.deepEqual(parseHistory(history()), { records: [odd], problems: [] });
  });

  test('twice writes once, whatever was written since then', async () => {
    await append(one);
    await append(two);
    const [before, told] = [history(), audit()];
    await append(one, two, one);
    assert.equal(history(), before);
    assert.equal(audit(), told);
  });

  test('after a stop between the two files, the line for people is written as well', async () => {
    await append(one);
    const told = audit();
    for (const left of ['', told.slice(0, 30)]) {
      writeFileSync(file('deployment_tags.log'), left);
      await append(one);
      assert.deepEqual(audit().split('\n').slice(-2), [told.trim(), '']);
      assert.equal(history(), `${historyLine(one)}\n`);
    }
  });

  test('an id that begins like another is another', async () => {
    const longer = { ...one, id: `1${one.id}` };
    await append(longer, one);
    assert.deepEqual(parseHistory(history()).records, [longer, one]);
  });

  test('an id in the text of another record is not that record', async () => {
    const talk = record({ reason: `see "id":"${one.id}" and ,"id":"${one.id}"` });
    await append(talk, one);
    assert.deepEqual(parseHistory(history()).records, [talk, one]);
  });

  test('at the same time from many writes each once, and whole', async () => {
    const records = Array.from({ length: 8 }, () => record({ reason: 'x'.repeat(1_500) }));
    await Promise.all([...records, ...records].map((each) => append(each)));
    const read = parseHistory(history());
    assert.deepEqual(read.problems, []);
    assert.deepEqual(new Set(read.records.map(({ id }) => id)), new Set(records.map(({ id }) => id)));
    assert.equal(history().split('\n').length, 9);
    assert.equal(audit().split('\n').length, 9);
  });

  test('waits for another that is at it', async () => {
    await append(one);
    const other = spawn('bash', ['-c', 'exec 6>>"$1"; flock 6; echo locked; read -r', 'bash', file('history.jsonl')]);
    await once(other.stdout, 'data');
    const appending = append(two);
    await sleep(300);
    const meanwhile = history();
    other.stdin.end();
    await appending;
    assert.equal(meanwhile, `${historyLine(one)}\n`);
    assert.deepEqual(parseHistory(history()).records, [one, two]);
  });

  test('after a line that was cut costs neither', async () => {
    tear(historyLine(two).slice(0, 40));
    await append(one);
    const { records, problems } = parseHistory(history());
    assert.deepEqual(records, [one]);
    assert.equal(problems.length, 1);
  });

  test('after a whole line without its line break keeps both', async () => {
    tear(historyLine(two));
    await append(one);
    assert.deepEqual(parseHistory(history()), { records: [two, one], problems: [] });
  });

  test('writes a record anew that was cut, wherever it was cut', async () => {
    const line = historyLine(one);
    const cuts = [...line.matchAll(/[}"]/g)].map(({ index }) => index + 1).filter((at) => at > 30 && at < line.length);
    for (const at of cuts.filter((cut, index) => line[cut - 1] === '}' || index % 12 === 0)) {
      rmSync(file(''), { recursive: true, force: true });
      tear(`${line.slice(0, at)}`);
      await append(two);
      await append(one);
      assert.deepEqual(parseHistory(history()).records, [two, one], `cut at ${at}`);
    }
  });

  test('twice writes once also where a power cut left zeros, or bytes that are no text', async () => {
    for (const rest of [Buffer.alloc(100), Buffer.from([0xff, 0xfe, 0x80])]) {
      rmSync(file(''), { recursive: true, force: true });
      tear(rest);
      await append(one);
      await append(one);
      assert.deepEqual(parseHistory(history()).records, [one]);
      assert.equal(history().split(one.id).length, 2);
    }
  });

  test('says so where it cannot write', async () => {
    writeFileSync(file('').replace(/\/$/, ''), 'no folder');
    const { code, error } = await recordOnHost('', [one]);
    assert.equal(code, 1);
    assert.match(error, /history-unwritable$/);
  });

  test('a record that cannot be written has no line in deployment_tags.log either', async () => {
    tear(`${'x'.repeat(2_000)}\n`);
    // No file may grow beyond 1024 bytes.
    const call = `trap '' XFSZ; ulimit -f 1; append_history '${file('')}' ${one.id} '{}' told`;
    assert.notEqual((await bash('eval', call)).code, 0);
    assert.equal(existsSync(file('deployment_tags.log')), false);
  });

  test('says so where the disk is full', async () => {
    mkdirSync(file(''));
    const full = await bash('append_line', '/dev/full', 'x');
    assert.notEqual(full.code, 0);
  });
});

describe('HOLD', () => {
  const hold = {
    reason: 'v3 fails',
    since: one.at,
    run: null,
    by: 'octocat',
    from: 'web=v3',
    to: 'web=v2',
    id: one.id,
  };

  test('appears whole, for nobody else, and is replaced whole', async () => {
    for (const reason of ['first', 'second']) {
      // As a power cut leaves it.
      tear('');
      writeFileSync(file('HOLD.new'), 'rea', { mode: 0o600 });
      assert.equal((await bash('put_hold', file(''), holdText({ ...hold, reason }).trimEnd())).code, 0);
      assert.deepEqual(parseHold(readFileSync(file('HOLD'), 'utf8')), { ...hold, reason });
    }
    assert.equal(mode(file('HOLD')), '600');
    assert.equal(existsSync(file('HOLD.new')), false);
  });

  test('is not put into a folder of that name', async () => {
    mkdirSync(file('HOLD'), { recursive: true });
    assert.notEqual((await bash('put_hold', file(''), 'reason=x')).code, 0);
  });

  test('is taken away with a record of it, also where there is none', async () => {
    await bash('put_hold', file(''), 'reason=x');
    for (const each of [one, two]) {
      const ended = await recordOnHost('yes', [each]);
      assert.deepEqual(ended, { code: 0, error: '' });
      assert.equal(existsSync(file('HOLD')), false);
    }
    assert.deepEqual(parseHistory(history()).records, [one, two]);
  });

  test('stays with a record of anything else', async () => {
    await bash('put_hold', file(''), 'reason=x');
    assert.deepEqual(await recordOnHost('', [one]), { code: 0, error: '' });
    assert.equal(readFileSync(file('HOLD'), 'utf8'), 'reason=x\n');
  });

  test('that cannot be taken away fails, and nothing says that it was', async () => {
    mkdirSync(file('HOLD'), { recursive: true });
    const { code, error } = await recordOnHost('yes', [one]);
    assert.equal(code, 1);
    assert.match(error, /history-unwritable$/);
    assert.equal(existsSync(file('history.jsonl')), false);
  });
});
