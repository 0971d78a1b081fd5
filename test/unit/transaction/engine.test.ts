// The order in which the engine does things, and what keeps it from going on: the engine as it is sent, in a real bash, with functions
// in the place of what asks Docker and databases.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { engineScript } from '../../../shared/transaction/start-transaction.ts';
import { processes } from '../../lab/processes.ts';

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
    for each in note_containers note_networks note_witnesses still_stopped writers_run alone_in_them still_restored mend_leftovers note_addresses \\
      create_all keeps_addresses ports_are_free keep_evidence start_probers; do eval "$each() { note $each; }"; done`;
  const prepare = (change: string) => engine(`${well}\n${change}\nprepare && note begins`);

  test('what may fail without harm comes first, and then it begins', () => {
    assert.deepEqual(prepare(''), [
      ...['note_containers', 'note_networks', 'note_witnesses', 'still_stopped', 'writers_run', 'alone_in_them'],
      'still_restored',
      ...['journal checked', 'mend_leftovers', 'note_addresses', 'create_all', 'keeps_addresses', 'ports_are_free'],
      'keep_evidence',
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
    [
      'an application that has ended before it was to be restarted',
      'writers_run() { broken plan-stale x; }',
      'plan-stale',
      false,
    ],
    ['a restored copy that is gone', 'still_restored() { broken plan-stale x; }', 'plan-stale', false],
    ['an address that is published no more', 'keeps_addresses() { broken no-answer x; }', 'no-answer', true],
    ['a port that another container holds', 'ports_are_free() { broken port-taken x; }', 'port-taken', true],
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

  describe('what is to stay stopped, or a job, must not run by now', () => {
    const table: [strategy: string, state: string, is: boolean][] = [
      ['create-only', 'exited', true],
      ['create-only', 'running', false],
      ['create-only', 'restarting', false],
      ['create-only', 'paused', false],
      ['job', 'exited', true],
      ['job', 'running', false],
      ['job', 'restarting', false],
      ['recreate', 'running', true],
    ];
    for (const [strategy, state, is] of table) {
      test(`${strategy}, ${state}`, () => {
        const notes = engine(`strategy[web]=${strategy}
          printf 'web\\told\\t/web\\t${state}\\t-\\tbefore\\tno:0\\n' >before.tsv
          still_stopped && note goes on`);
        assert.equal(notes.includes('goes on'), is);
        assert.equal(
          notes.some((note) => note.startsWith('journal failure plan-stale ')),
          !is,
        );
      });
    }
  });

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

  test('goes back where the journal does not take the commit: whoever took over would, and find old containers gone', () => {
    const full = 'journal() { [[ $1 != commit ]]; }';
    assert.deepEqual(run(['begin'], full).slice(-3), ['stop_probers', 'tell_measurements', 'revert']);
  });

  const table: [journal: string[], does: string][] = [
    [['begin', 'checked'], 'refuse'],
    [['begin', 'checked', 'prepared', 'stopping'], 'revert'],
    // Where nothing has to stop, nothing is journaled before the databases exchange their names.
    [['begin', 'checked', 'prepared', 'exchanging'], 'revert'],
    [['begin', 'checked', 'prepared', 'exchanging', 'exchanged'], 'revert'],
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

describe('a supervisor', () => {
  /** What it notes while `life` stands for an engine, which has its folder as $FOLDER. */
  const supervised = (life: string) => {
    const path = join(root, 'life');
    writeFileSync(path, `#!/bin/bash\n${life}\n`, { mode: 0o700 });
    return engine(`
      tell_holder() { :; }
      lay_down() { :; }
      plan[holder]=us plan[lock_wait]=0
      export NOTES=$PWD/notes FOLDER=$folder
      BASH=${path}
      supervise 2>/dev/null; note "ends with $?"`).filter((note) => note !== 'journal begin');
  };

  test('starts an engine that dies three times more, and then leaves it to the next run', () => {
    const lives = Array.from({ length: 4 }, () => ['lives', 'journal engine-died']).flat();
    assert.deepEqual(supervised('echo lives >>"$NOTES"; kill -KILL "$$"'), [...lives, 'ends with 1']);
  });

  test('ends what an engine has left behind, before it starts another, and nothing of another transaction', () => {
    const notes = supervised(`
      [[ ! -e left ]] || { read -r own other <left; for try in {1..50}; do [[ ! -e /proc/$own/cwd ]] || command sleep 0.1; done; for each in $own $other; do [[ -e /proc/$each/cwd ]] && echo "$each lives" || echo "$each is over"; done >>"$NOTES"; kill "$other"; printf '1\tended\t\n' >>"$FOLDER/journal"; exit; }
      sleep 60 >/dev/null 2>&1 &
      own=$!
      ATLASIA_TRANSACTION=\${FOLDER}0 sleep 60 >/dev/null 2>&1 &
      # Until it is what it is named, it has the environment of the engine.
      until grep -qz "^ATLASIA_TRANSACTION=\${FOLDER}0" "/proc/$!/environ"; do sleep 0.01; done
      echo "$own $!" >left
      kill -KILL "$$"`);
    assert.deepEqual(
      notes.map((note) => note.replace(/^\d+/, 'it')),
      ['journal engine-died', 'it is over', 'it lives', 'ends with 0'],
    );
  });

  test('keeps the lock to itself: what outlives an engine does not hold it', () => {
    assert.deepEqual(
      supervised(`
        [[ ! -e /proc/self/fd/9 ]] && echo free >>"$NOTES"
        printf '1\tended\t\n' >>"$FOLDER/journal"`),
      ['free', 'ends with 0'],
    );
  });
});

describe('after the commit', () => {
  const kept = (running: boolean, finished: string) =>
    engine(`
      printf '1764200000000\\tcommit\\t\\n' >journal
      look() { printf '${running}\\t${finished}'; }
      steady() { note "steady $*"; }
      keep_running`);

  test('a container that has ended since is started again; one that had completed its task is not', () => {
    const commit = 1_764_200_000_000;
    assert.deepEqual(kept(false, new Date(commit + 1_000).toISOString()), ['steady start new']);
    assert.deepEqual(kept(false, new Date(commit - 1_000).toISOString()), []);
    assert.deepEqual(kept(true, '0001-01-01T00:00:00Z'), []);
  });
});

describe('what is only restarted', () => {
  const restarts = (states: readonly string[], code: string) => {
    const rows = states.map(
      (state, at) => `web\\told${at}\\t/web-${at}\\t${state}\\tnone\\tbefore\\tunless-stopped:0\\n`,
    );
    return engine(`
      strategy=([web]=restart)
      printf '${rows.join('')}' >before.tsv
      steady() { note "steady $*"; }
      stop() { note "stop $*"; }
      for each in aim_at await_answer refresh_proxies; do eval "$each() { :; }"; done
      ${code}`);
  };

  test('starts again if it ran, also between two tries: whoever ends for want of a database does so all the time', () => {
    const notes = restarts(['running', 'restarting', 'exited'], 'note_targets; stop_writers; restart web');
    assert.ok(notes.includes('stop old0 old1 old2'));
    assert.ok(notes.includes('docker start old0 old1'), notes.join('\n'));
  });

  test('is not said to run again where nobody knows what to start', () => {
    const docker = 'docker() { note "docker $*"; (($# > 1)) || [[ $1 != start ]]; }';
    assert.deepEqual(restarts(['running'], `${docker}; : >after.tsv; restart web || note stopped`).slice(-2), [
      'journal failure not-started Docker could not start web again',
      'stopped',
    ]);
  });

  test('must run when it begins', () => {
    for (const state of ['running', 'restarting'])
      assert.deepEqual(restarts([state, 'exited'], 'writers_run && note begins'), ['begins']);
    assert.match(
      restarts(['exited'], 'writers_run && note begins').join(),
      /^journal failure plan-stale web was to be restarted/,
    );
  });
});

test('a table that a full disk takes only in part is not gone by', () => {
  for (const [noting, table] of [
    ['note_containers', 'before'],
    ['note_networks', 'networks'],
    ['note_targets', 'after'],
  ] as const) {
    const notes = engine(`
      project_containers() { echo 0123; }
      left_behind() { :; }
      new_containers() { echo 0123; }
      docker() { echo row; }
      sync() { :; }
      [[ -e ${table}.tsv ]] || cp before.tsv ${table}.tsv
      rm -f journal
      ln -s /dev/full ${table}.new
      ${noting} 2>/dev/null || note refused
      [[ -L ${table}.tsv ]] || note kept`);
    assert.deepEqual(
      notes,
      ['journal failure disk-full The folder of the transaction cannot be written', 'refused', 'kept'],
      noting,
    );
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

  test('exchanges no databases where the journal does not take that it does: nobody would exchange them back', () => {
    const notes = engine(`${quiet}
      plan[database_restored]=shop_restore_01234567 plan[database_restored_limit]=7
      exchanging() { note "exchanging $*"; echo exchanged; }
      recreate() { note "recreate $1"; }
      journal() { [[ $1 != exchanging ]] && note "journal $*"; }
      swap_all || note stops`);
    assert.deepEqual(notes.slice(-2), [
      'journal failure disk-full The journal of the transaction cannot be written',
      'stops',
    ]);
    assert.ok(!notes.some((note) => note.startsWith('exchanging')));
  });

  test('on its way back stops old and new, both of which may write, before the databases have their names again', () => {
    const notes = engine(`
      plan[database]=shop plan[database_restored]=shop_restore_01234567 plan[database_limit]=7
      for each in resume_probers stop_probers tell_measurements tell_restart drop_restored conclude; do eval "$each() { :; }"; done
      for each in restore_all came_back back_for_users; do eval "$each() { note $each; }"; done
      stop() { note "stop $*"; }
      exchanging() { note "exchanging $*"; echo exchanged-back; }
      journal exchanging
      revert`);
    assert.deepEqual(notes, [
      'journal exchanging',
      'journal reverting',
      'stop new old',
      'exchanging exchange_back 7',
      'journal exchanged-back',
      'restore_all',
      'came_back',
      'back_for_users',
      'journal reverted',
    ]);
  });
});

test('of what has ended long ago, the folder goes, unless its supervisor is still at work', () => {
  const others = join(root, 'rollback', 'transactions');
  for (let n = 0; n < 53; n += 1) mkdirSync(join(others, `20250101_${String(n).padStart(6, '0')}`));
  const alive = '20250101_000000';
  engine(`
    ended_transactions() { (cd -- "$1" && printf '%s\n' 2025*); }
    is_carried() { [[ $PWD == */${alive} ]]; }
    echo 1 >../${alive}/carrier
    echo 1 >../20250101_000001/carrier
    prune_transactions`);
  const left = readdirSync(others).toSorted();
  assert.deepEqual(left.slice(0, 2), [alive, '20250101_000003']);
  // The newest 50, the one that is carried, and its own.
  assert.equal(left.length, 52);
});

test('where Docker cannot list the containers of the target, or not start an old one, a service is not called restored', () => {
  const restored = (list: string, steady = ':') =>
    engine(`
      new_containers() { ${list}; }
      for each in stop_again give_name_back attach keep_evidence aim_at refresh_proxies; do eval "$each() { :; }"; done
      steady() { note "steady $*"; ${steady}; }
      restore web || note not restored`);
  assert.deepEqual(restored('echo new'), [
    'docker inspect --format x old',
    'steady update --restart=no old',
    'steady start old',
    'steady rm --force new',
    'journal restored web',
  ]);
  assert.deepEqual(restored('return 1'), [
    'journal problem Docker could not list the containers of web',
    'not restored',
  ]);
  assert.deepEqual(restored('echo new', '[[ $1 != start ]]').slice(-2), [
    'journal problem Docker could not start the previous release of web as it was',
    'not restored',
  ]);
  assert.deepEqual(restored('echo new', '[[ $1 != rm ]]').slice(-2), [
    "journal problem Docker could not remove the target's containers of web",
    'not restored',
  ]);
});

describe('going back has succeeded', () => {
  /** What `came_back` notes where the old container is now so, and `yes` if it has come back. */
  const cameBack = (image: string, state: string, isWell: boolean, more = '') =>
    engine(`
      look() { case $2 in *Image*) printf '${image}' ;; *Status*) printf '${state}' ;; esac; [[ -n '${image}' ]]; }
      read_health_test() { :; }
      is_well() { ${isWell}; }
      replacements() { :; }
      plan[health_timeout]=0
      ${more}
      came_back && echo yes`).join();

  const another = 'journal problem The previous release of web is not what runs now';
  const late = 'journal problem Within 0 s (health-timeout), the previous release of web did not come back well: it is';
  const table: [what: string, image: string, state: string, isWell: boolean, said: string][] = [
    ['where it runs from the same image, and is well', 'before', 'running', true, 'yes'],
    ['not where another image runs', 'target', 'running', true, another],
    ['not where it does not run', 'before', 'exited', true, `${late} exited`],
    [
      'not where it is gone',
      '',
      '',
      true,
      'journal problem The previous release of web is gone, or Docker does not answer',
    ],
    ['not where Docker stops answering', 'before', '', true, `${late} gone, or Docker does not answer`],
    [
      'not where it was healthy and is not',
      'before',
      'running',
      false,
      `${late} running, but did not pass its health check`,
    ],
  ];
  for (const [what, image, state, isWell, said] of table) {
    test(`${what}; and the reason is noted`, () => assert.equal(cameBack(image, state, isWell), said));
  }

  test('whatever has become of what did not run before, and of jobs', () => {
    const before = (state: string) => `printf 'web\\told\\t/web\\t${state}\\tnone\\tbefore\\tno:0\\n' >before.tsv`;
    assert.equal(cameBack('target', 'exited', true, before('exited')), 'yes');
    assert.equal(cameBack('target', 'exited', true, 'strategy[web]=job'), 'yes');
  });

  test('not where somebody has put a container of another image into the place of one that is gone', () => {
    const gone = 'exists() { return 1; }; replacements() { echo other; }';
    assert.equal(cameBack('before', 'running', true, gone), 'yes');
    assert.equal(cameBack('someone-elses', 'running', true, gone), another);
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
    [
      'not where it may have waited for what did not run',
      '1\\tbegin\\t\\n2\\twaits-for\\tworker\\n3\\tfailure\\tunhealthy web\\n',
      'unknown',
    ],
  ];
  for (const [what, journal, expected] of table) test(what, () => assert.equal(verdict(journal), expected));
});

describe('Docker is said to have been restarted only if that is known', () => {
  /** The listener, a piece of shell that sets it; and since when the only other container runs by now. */
  const said = (listener: string, now: string) =>
    engine(`${listener}
      printf 'other\\tmonday true\\n' >witness.tsv
      look() { echo '${now}'; }
      tell_restart
      [[ -z \${listener-} ]] || kill "$listener" 2>/dev/null || true`);
  const dead = 'true & listener=$!; wait "$listener"';

  test('by its connection, and by another container', () => {
    assert.deepEqual(said(dead, 'tuesday true'), ['journal docker-restarted']);
    assert.deepEqual(said(dead, 'monday true'), []);
  });
  test('a container that was restarted by itself, such as the database, tells nothing of it', () => {
    assert.deepEqual(said('command sleep 60 & listener=$!', 'tuesday true'), []);
  });
  test('nor does an engine that took over, and has not listened', () => {
    assert.deepEqual(said('listener=', 'tuesday true'), []);
  });
  test('and the listener is not left behind where the engine is killed', async () => {
    writeFileSync(join(folder, 'docker'), '#!/bin/sh\nexec sleep 600\n', { mode: 0o755 });
    const dies = 'listen & until pgrep -P "$!" >client; do :; done; kill -KILL "$$"';
    engine(`PATH=$PWD:$PATH; unset -f docker; ${dies}`);
    const client = readFileSync(join(folder, 'client'), 'utf8').trim();
    assert.match(client, /^\d+$/);
    while (processes().some(({ pid }) => pid === Number(client))) await sleep(20);
  });
});

describe('why a restore cannot go on, or is undone, is known', () => {
  const restoring = `plan[database]=shop plan[database_restored]=shop_restore_01234567 plan[database_aside]=shop_before_x plan[database_restored_limit]=-1
    rm -f journal; `;
  const failure = (code: string, answer: string) =>
    engine(`${restoring} standing() { ${answer}; }; exchanging() { return 1; }; ${code} || true`).filter((line) =>
      line.startsWith('journal failure'),
    );

  test('a server that does not answer is not one whose databases were renamed', () => {
    for (const [code, other] of [
      ['still_restored', 'plan-stale'],
      ['exchange_databases', 'not-exchanged'],
    ] as const) {
      assert.match(failure(code, 'return 1')[0] ?? '', /^journal failure database-silent /);
      assert.match(failure(code, 'echo live')[0] ?? '', new RegExp(`^journal failure ${other} `));
    }
  });
  test('nor at the end, when it has had its time to recover', () => {
    const late = 'sleep() { SECONDS=$((SECONDS + 30)); }; still_exchanged';
    assert.match(failure(late, 'return 1')[0] ?? '', /^journal failure database-silent /);
    assert.match(
      failure(late, 'echo live')[0] ?? '',
      /^journal failure not-exchanged Somebody has renamed or dropped shop/,
    );
    assert.deepEqual(failure(late, 'echo aside live'), []);
  });
});
