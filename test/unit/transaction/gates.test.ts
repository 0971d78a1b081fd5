// What the gates make of health tests and of containers that end or start meanwhile: in a real bash, with a Docker that answers
// as its template asks.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';

const shared = join(import.meta.dirname, '../../../shared');

/** What a call prints, and its exit. */
function run(call: string): { text: string; status: number | null } {
  const sources = ['transaction/health-test.sh', 'transaction/gates.sh', 'transaction/jobs.sh'].map(
    (file) => `source ${join(shared, file)}`,
  );
  const frame = 'journal() { :; }; within_budget() { :; }; broken() { printf "%s" "$1"; return 1; }';
  const script = `set -u\n${sources.join('\n')}\n${frame}\n${call}`;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script], { encoding: 'utf8' });
  assert.equal(stderr, '');
  return { text: stdout.trim(), status };
}

describe('a health test that fails', () => {
  const table: [what: string, startPeriod: string, seconds: number, counts: boolean][] = [
    ['without a start_period', '0', 1, true],
    ['within it', '30000000000', 5, false],
    ['after it', '2000000000', 5, true],
    ['where an old Docker knows none', 'null', 1, true],
  ];
  for (const [what, startPeriod, seconds, counts] of table) {
    test(`${what}: ${counts ? 'counts' : 'does not count'}`, () => {
      const { text } = run(`
        docker() {
          case $3 in
            *StartedAt*) date --utc --date '-${seconds} seconds' +%Y-%m-%dT%H:%M:%S.%NZ ;;
            *Timeout*) printf '%s\\0' 0 ${startPeriod} CMD false && echo ;;
          esac
        }
        is_well() { return 1; }
        read_health_test id
        try_test id '' 9
        printf '%s|%s' "\${health_test[*]}" "$failed"`);
      assert.equal(text, `false|${counts ? 'yes' : ''}`);
    });
  }

  test('does so too if the next one has no time left', () => {
    const { text } = run('health_start=0; is_well() { return 124; }; try_test id yes; printf \'%s\' "$failed"');
    assert.equal(text, 'yes');
  });
});

test('nobody waits for the test of a task that has ended', () => {
  const { status } = run(`
    declare -A plan=([health_timeout]=1) target_image=([app]=i) strategy=([app]=recreate)
    look() { printf 'exited\\t0\\tstarting\\t0\\ti\\tthen\\tno'; }
    has_one_task() { :; }
    docker() { printf '%s\\0' 0 0 CMD false && echo; }
    await_answer app id`);
  assert.equal(status, 0);
});

test('a container that stands ready may be started meanwhile, any other may not', () => {
  for (const [strategy, expected] of [
    ['create-only', ''],
    ['recreate', 'crashed'],
  ] as const) {
    const { text } = run(`
      declare -A target_image=([app]=i) strategy=([app]=${strategy}) since=([id]=then)
      services=(app)
      target_containers() { printf 'id'; }
      look() { printf 'running\\t0\\tnone\\t0\\ti\\tnow\\tno'; }
      still_well`);
    assert.equal(text, expected);
  }
});

test('a container does not pass with another image than that of the target; what is only restarted keeps its own', () => {
  for (const [strategy, image, expected] of [
    ['recreate', 'target', ''],
    ['recreate', 'other', 'wrong-image'],
    ['create-only', 'other', 'wrong-image'],
    ['job', 'other', 'wrong-image'],
    ['restart', 'other', ''],
  ] as const) {
    const { text } = run(`
      declare -A target_image=([app]=target) strategy=([app]=${strategy})
      look() { printf 'running\\t0\\tnone\\t0\\t${image}\\tthen\\tno'; }
      judge app id`);
    assert.equal(text, expected);
  }
});

describe('a container of the target', () => {
  const judged = (state: string, restarts: number, before = 'running', policy = 'no') =>
    run(`
      cd "$(mktemp -d)"
      printf 'app\\told\\t/app\\t${before}\\n' >before.tsv
      declare -A target_image=([app]=i) strategy=([app]=recreate)
      docker() { :; }
      look() { printf '${state}\\t${restarts}\\tnone\\t0\\ti\\tthen\\t${policy}'; }
      judge app id; rm -r -- "$PWD"`).text;

  test('that Docker had to start again has crashed, though it runs now', () => {
    assert.equal(judged('running', 0), '');
    assert.equal(judged('running', 1), 'crashed');
  });

  test('that ended well is done only where the old one had ended too', () => {
    assert.equal(judged('exited', 0, 'exited'), '');
    assert.equal(judged('exited', 0, 'running'), 'crashed');
    assert.equal(judged('exited', 0, 'exited', 'always'), 'crashed');
  });
});

describe('while it is watched for stable-for', () => {
  /** What the gates say where Docker calls the container healthy at first, and then this; and whether they were passed. */
  const watched = (health: string, test = 'false') =>
    run(`
      declare -A plan=([health_timeout]=0 [stable_for]=1) target_image=([app]=i) strategy=([app]=recreate)
      services=(app) now=0 looks=0
      target_containers() { printf 'id'; }
      users_get_answers() { :; }
      tell_time() { now=$((now + 400)); }
      sleep() { looks=$((looks + 1)); }
      look() {
        local health=healthy
        ((looks == 0)) || health=${health}
        printf 'running\\t0\\t%s\\t0\\ti\\tthen\\tno' "$health"
      }
      docker() { case $1 in inspect) printf '%s\\0' 0 0 CMD test && echo ;; esac; }
      last_health() { :; }
      is_well() { ${test}; }
      broken() { printf '%s %s' "$1" "$2"; return 1; }
      pass_gates && printf 'passed'`).text;

  test('what stays well passes', () => assert.equal(watched('healthy'), 'passed'));
  test('what becomes unhealthy does not', () => assert.equal(watched('unhealthy'), 'unhealthy app became unhealthy.'));
  test('what Docker has not asked again by the end must pass its own test once more', () => {
    assert.equal(watched('starting', 'true'), 'passed');
    assert.equal(watched('starting'), 'unhealthy app did not pass its health check within 0 s');
  });
});

describe('a job of the target', () => {
  const table: [what: string, facts: string, said: string][] = [
    ['that ended with 0 is complete', 'exited 0', ''],
    ['that ended otherwise has failed', 'exited 3', 'job-failed The job app failed with exit 3. Its last output: none'],
    ['that is dead has failed', 'dead 0', 'job-failed The job app failed with exit 0. Its last output: none'],
    [
      'that still runs at the end of health-timeout has failed',
      'running 0',
      'job-failed The job app did not end within 0 s (health-timeout). Its last output: none',
    ],
    ['that is gone is lost', '', 'container-lost The new container of app is gone'],
  ];
  for (const [what, facts, said] of table) {
    test(what, () => {
      const { text, status } = run(`
        declare -A plan=([health_timeout]=0)
        look() { [[ -n '${facts}' ]] && printf '${facts}'; }
        last_words() { printf 'Its last output: none'; }
        broken() { printf '%s %s' "$1" "$2"; return 1; }
        await_end app id`);
      assert.deepEqual([text, status], [said, said === '' ? 0 : 1]);
    });
  }
});

test('what fails may wait for a service whose turn comes later, and that did not run: then it is not to blame', () => {
  const ill = (states: Record<string, string>, how = 'recreate') => {
    const lines = Object.entries(states).map(
      ([service, state]) => `${service}\\tid\\t/x\\t${state}\\t-\\timage\\tno:0\\n`,
    );
    return run(`
      cd -- "$(mktemp -d)"
      printf '${lines.join('')}' >before.tsv
      services=(db app worker web)
      declare -A strategy=([db]=recreate [app]=recreate [worker]=${how} [web]=recreate)
      journal() { printf '%s %s; ' "$@"; }
      broken() { printf '%s %s' "$@"; return 1; }
      is_ill app 'It fails' || true
      rm -r -- "$PWD"`).text;
  };
  const running = { db: 'running', app: 'running', worker: 'running', web: 'running' };
  assert.equal(ill(running), 'unhealthy It fails');
  assert.equal(ill({ ...running, db: 'exited', app: 'exited' }), 'unhealthy It fails');
  assert.match(
    ill({ ...running, worker: 'restarting' }),
    /^waits-for worker; unhealthy It fails\. It may wait for worker, which/,
  );
  assert.match(ill({ ...running, worker: 'exited', web: 'exited' }), /^waits-for worker, web; unhealthy/);
  // It stays stopped, or has ended.
  assert.equal(ill({ ...running, worker: 'exited' }, 'create-only'), 'unhealthy It fails');
});

test('the health-url must answer three times in a row', () => {
  const { text } = run(`
    declare -A plan=([health_url]=http://x)
    folder=x answers=(0 0 1 0 0 0) asked=0 reload_after=2
    timeout() { asked=$((asked + 1)); return "\${answers[asked - 1]}"; }
    sleep() { :; }
    await_url "$((SECONDS + 60))"
    printf '%s' "$asked"`);
  assert.equal(text, '6');
});

test('a health-url that is silent may come through a proxy of others: those are reloaded, once', () => {
  const { text } = run(`
    declare -A plan=([health_url]=http://x)
    folder=x reload_after=0 asked=0
    timeout() { asked=$((asked + 1)); ((asked > 3)); }
    sleep() { :; }
    reload_neighbours() { printf 'reloaded at %s, ' "$asked"; }
    await_url "$((SECONDS + 60))"
    printf '%s' "$asked"`);
  assert.equal(text, 'reloaded at 1, 6');
});
