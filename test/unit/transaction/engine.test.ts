// The order in which the engine does things, and what keeps it from going on: the engine as it is sent, in a real bash, with functions
// in the place of what asks Docker and databases.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { engineScript } from '../../../shared/transaction/start-transaction.ts';

let root = '';
let folder = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'engine-'));
  folder = join(root, 'rollback', 'transactions', '20261127_021700');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'engine.sh'), engineScript().replace(/main "\$@"\n$/, ''));
});
afterEach(() => rmSync(root, { recursive: true }));

/** What the stubs note and the code prints, a line each. The plan swaps web, which ran in the container `old`. */
function engine(code: string): string[] {
  const script = `
    source "$1"
    declare -A plan=([id]=20261127_021700 [project]=shop [project_state]=as-planned [deploy_dir]=$PWD [health_timeout]=1
      [stop_timeout]=1 [on_failure]=revert [token]=token)
    declare -A strategy=([web]=recreate) target_image=([web]=target) retag=([web]=-) fixed_name=([web]=-) looked_up_once=()
    services=(web) proxies=() probers=()
    note() { printf '%s\\n' "$*" >>notes; }
    journal() { note "journal $*"; printf '1\\t%s\\t%s\\n' "$1" "\${2-}" >>journal; }
    docker() { note "docker $*"; }
    await_docker() { :; }
    sleep() { :; }
    printf 'web\\told\\t/web\\trunning\\thealthy\\tbefore\\tno:0\\n' >before.tsv
    printf 'web\\tnew\\n' >after.tsv
    : >notes
    ${code}`;
  const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', join(folder, 'engine.sh')], { encoding: 'utf8' });
  assert.equal(stderr, '');
  const notes = readFileSync(join(folder, 'notes'), 'utf8');
  return `${notes}${stdout}`.split('\n').filter((line) => line !== '');
}

describe('before the swap', () => {
  /** All is well, and each function notes that it was called. */
  const well = `
    unfinished_transactions() { echo 20261127_021700; }
    sharers() { :; }
    run_compose() { echo config; }
    project_state() { echo as-planned; }
    for each in note_containers note_networks note_witnesses still_stopped alone_in_them still_restored mend_leftovers note_addresses \\
      create_all keeps_addresses keep_evidence start_probers; do eval "$each() { note $each; }"; done`;
  const prepare = (change: string) => engine(`${well}\n${change}\nprepare && note begins`);

  test('what may fail without harm comes first, and then it begins', () => {
    assert.deepEqual(prepare(''), [
      ...['note_containers', 'note_networks', 'note_witnesses', 'still_stopped', 'alone_in_them', 'still_restored'],
      ...['journal checked', 'mend_leftovers', 'note_addresses', 'create_all', 'keeps_addresses', 'keep_evidence'],
      ...['start_probers', 'journal prepared', 'begins'],
    ]);
  });

  const table: [what: string, change: string, code: string, created: boolean][] = [
    [
      'another one that is unfinished',
      'unfinished_transactions() { printf "%s\\n" 20261126_021700 20261127_021700; }',
      'unfinished',
      false,
    ],
    ['journals that cannot be read', 'unfinished_transactions() { return 1; }', 'unfinished', false],
    ['a project that has changed since the plan', 'project_state() { echo other; }', 'plan-stale', false],
    ['a state that cannot be read', 'project_state() { return 1; }', 'docker-failed', false],
    ['a compose file that cannot be read', 'run_compose() { return 1; }', 'docker-failed', false],
    ['sharers that cannot be read', 'sharers() { return 1; }', 'docker-failed', false],
    ['what was to stay stopped and runs', 'still_stopped() { broken plan-stale x; }', 'plan-stale', false],
    ['a container that came to depend on another', 'alone_in_them() { broken plan-stale x; }', 'plan-stale', false],
    ['a restored copy that is gone', 'still_restored() { broken plan-stale x; }', 'plan-stale', false],
    ['an address that is published no more', 'keeps_addresses() { broken no-answer x; }', 'no-answer', true],
    ['a cancel', ': >abort', 'cancelled', true],
  ];
  for (const [what, change, code, created] of table) {
    test(`${what} keeps it from beginning`, () => {
      const notes = prepare(change);
      assert.ok(!notes.includes('begins'));
      assert.equal(notes.includes('create_all'), created);
      assert.match(notes.find((note) => note.startsWith('journal failure')) ?? '', new RegExp(`failure ${code} `));
    });
  }

  test('a container that compose has not made from the target is not started', () => {
    const created = (image: string) =>
      engine(`
        cd() { :; }
        labelled_containers() { echo old; }
        run_compose() { :; }
        new_containers() { echo new; }
        look() { printf ${image}; }
        for each in put_files drop_files note_targets; do eval "$each() { note $each; }"; done
        create_all`);
    assert.deepEqual(created('target'), ['put_files', 'drop_files', 'note_targets', 'journal created web']);
    assert.deepEqual(created('another'), [
      'journal failure wrong-image The new container of web was not created from the target image',
    ]);
  });

  test('compose must have made as many containers as there were', () => {
    const notes = engine(`
      cd() { :; }
      labelled_containers() { echo old; }
      run_compose() { :; }
      new_containers() { :; }
      for each in put_files drop_files note_targets; do eval "$each() { note $each; }"; done
      create_all`);
    assert.deepEqual(notes, [
      'journal failure not-created docker compose created the wrong number of containers for web',
    ]);
  });

  test('whatever it ends with, no file with secrets is left', () => {
    const left = (code: string) =>
      engine(`
        cd -- "$folder"
        : >files.web.tar.base64
        for each in stop_probers start_stopped new_containers steady drop_restored tell_restart conclude lay_down; do
          eval "$each() { :; }"
        done
        ${code}
        compgen -G 'files.*' || echo none`).at(-1);
    assert.equal(left('refuse'), 'none');
    // It is cancelled while it waits for the lock.
    assert.equal(left('flock() { return 1; }; : >abort; await_lock'), 'none');
  });
});

describe('an engine', () => {
  const stubs = `
    has_died() { :; }
    for each in prepare swap_all pass_gates drain_all users_get_answers still_exchanged within_budget stop_probers tell_measurements finish revert \\
      refuse; do eval "$each() { note $each; }"; done`;
  const run = (journal: readonly string[], change = '') =>
    engine(`${stubs}\n${change}\nprintf '1\\t%s\\t\\n' ${journal.join(' ')} >journal\nengine`).filter(
      (note) => !note.startsWith('journal failure'),
    );

  test('commits once all is proven, and not before', () => {
    const proofs = ['swap_all', 'pass_gates', 'drain_all', 'users_get_answers', 'still_exchanged', 'within_budget'];
    assert.deepEqual(run(['begin']), [
      ...['prepare', ...proofs, 'stop_probers', 'tell_measurements', 'journal commit', 'finish'],
    ]);
    for (const [at, proof] of proofs.entries()) {
      const notes = run(['begin'], `${proof}() { note ${proof}; return 1; }`);
      assert.deepEqual(notes, ['prepare', ...proofs.slice(0, at + 1), 'revert']);
    }
  });

  const table: [journal: string[], does: string][] = [
    [['begin', 'checked'], 'refuse'],
    [['begin', 'checked', 'prepared', 'stopping'], 'revert'],
    [['begin', 'checked', 'prepared', 'starting'], 'revert'],
    [['begin', 'checked', 'prepared', 'running'], 'revert'],
    [['begin', 'checked', 'prepared', 'stays-stopped'], 'revert'],
    [['begin', 'checked', 'prepared', 'stopping', 'reverting'], 'revert'],
    [['begin', 'checked', 'prepared', 'stopping', 'commit'], 'finish'],
    [['begin', 'checked', 'prepared', 'stopping', 'commit', 'held'], 'finish'],
  ];
  for (const [journal, does] of table) {
    test(`that takes over after ${journal.at(-1)} does nothing but ${does}`, () => {
      assert.deepEqual(run(journal), [does]);
    });
  }
});

describe('a swap', () => {
  const quiet = `
    await_answer() { note "await_answer $*"; }
    refresh_proxies() { :; }
    aim_at() { :; }
    tell_stop() { :; }
    steady() { note "steady $*"; }
    stop() { note "stop $*"; }
    take_names() { note "take_names $*"; }`;

  test('says in the journal that it stops before it does, and Docker starts nothing meanwhile', () => {
    const notes = engine(`${quiet}\nrecreate web`).map((note) => note.replace(/(journal started web) \d+$/, '$1'));
    assert.deepEqual(notes, [
      'journal stopping web',
      'steady update --restart=no old',
      'take_names web',
      'stop old',
      'docker start new',
      'journal started web',
      'await_answer web new',
    ]);
  });

  test('beside the old containers says so before it starts any', () => {
    assert.deepEqual(engine(`${quiet}\nblue-green web`), [
      'journal starting web',
      'docker start new',
      'journal started web',
      'await_answer web new',
    ]);
  });

  test('exchanges the databases once nothing writes, before anything of the target starts', () => {
    const notes = (stop: string) =>
      engine(`${quiet}
        plan[database_restored]=shop_restore_01234567 plan[database_restored_limit]=7
        stop() { note "stop $*"; ${stop}; }
        exchanging() { note "exchanging $*"; echo exchanged; }
        recreate() { note "recreate $1"; }
        swap_all`);
    assert.deepEqual(notes(':'), [
      'journal stopping web',
      'steady update --restart=no old',
      'stop old',
      'journal exchanging',
      'exchanging exchange 7',
      'journal exchanged',
      'recreate web',
    ]);
    assert.ok(!notes('return 1').some((note) => /exchanging|recreate/.test(note)));
  });
});

describe('going back has succeeded', () => {
  /** What `came_back` says where the old container is now so. */
  const cameBack = (image: string, state: string, isWell: boolean, more = '') =>
    engine(`
      look() { case $2 in *Image*) printf ${image} ;; *Status*) printf ${state} ;; esac; }
      read_health_test() { :; }
      is_well() { ${isWell}; }
      plan[health_timeout]=0
      ${more}
      came_back && echo yes`).includes('yes');

  const table: [what: string, image: string, state: string, isWell: boolean, is: boolean][] = [
    ['where it runs from the same image, and is well', 'before', 'running', true, true],
    ['not where another image runs', 'target', 'running', true, false],
    ['not where it does not run', 'before', 'exited', true, false],
    ['not where it was healthy and is not', 'before', 'running', false, false],
  ];
  for (const [what, image, state, isWell, is] of table) {
    test(what, () => assert.equal(cameBack(image, state, isWell), is));
  }

  test('not where somebody has put a container of another image into the place of one that is gone', () => {
    const gone = 'exists() { return 1; }; replacements() { echo other; }';
    assert.equal(cameBack('before', 'running', true, gone), true);
    assert.equal(cameBack('someone-elses', 'running', true, gone), false);
  });
});

describe('a release is blamed', () => {
  const verdict = (journal: string) => {
    const [text = ''] = engine(`printf '${journal}' >journal; printf %s token-verdict >outcome; filled outcome`);
    return text;
  };
  const downtime = (journal: string) =>
    engine(`printf '1\\tbegin\\t\\n${journal}' >journal; printf '"token-downtime"' >outcome; filled outcome`).at(0);
  test('and the longest downtime is told, unless one address was not asked at all', () => {
    assert.equal(downtime('2\\tmeasured\\ta 70 1 9\\n2\\tmeasured\\tb 90 1 9\\n'), '90');
    assert.equal(downtime('2\\tmeasured\\ta 70 1 9\\n2\\tmeasured\\tb - 0 0\\n'), 'null');
  });

  const table: [what: string, journal: string, verdict: string][] = [
    ['that was seen to fail', '1\\tbegin\\t\\n2\\tfailure\\tunhealthy web\\n', 'bad'],
    ['not for what else went wrong', '1\\tbegin\\t\\n2\\tfailure\\tdocker-failed web\\n', 'unknown'],
    [
      'not where Docker was restarted',
      '1\\tbegin\\t\\n2\\tfailure\\tcrashed web\\n3\\tdocker-restarted\\t\\n',
      'unknown',
    ],
  ];
  for (const [what, journal, expected] of table) test(what, () => assert.equal(verdict(journal), expected));
});
