// When verify-action stops waiting for the containers: watch.sh in a real bash, with a Docker that answers as its template asks.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const scripts = ['shared/survey/docker-template.sh', 'verify-action/deployment/watch.sh'].map((file) =>
  join(import.meta.dirname, '../../..', file),
);

interface Container {
  state: string;
  health?: string;
  /** What its own test says where we run it. */
  own?: 'passes' | 'fails';
  exit?: number;
  policy?: string;
}

/** Whether waiting is over. */
function settled(...containers: Container[]): boolean {
  const frame = `
    set -euo pipefail
    takes() { :; }; takes_number() { :; }; takes_list() { :; }; address=() project=shop
    source "$1"; source "$2"; shift 2
    declare -A own=()
    read_health_test() { health_test=(test); }
    in_start_period() { return 1; }
    is_well() { [[ \${own[$1]} == passes ]]; }
    patience=9
    for each in "$@"; do own[\${each%%,*}]=\${each##*,}; done
    set -- "\${@%,*}"
    project_containers() { seq "$how_many"; }
    docker() {
      local each text
      for each in "\${containers[@]}"; do
        IFS=, read -r id state health exit policy <<<"$each"
        text=$3
        text=\${text//'{{.ID}}'/$id} text=\${text//'{{.State.Status}}'/$state} text=\${text//'{{.State.ExitCode}}'/$exit}
        text=\${text//'{{.HostConfig.RestartPolicy.Name}}'/$policy} text=\${text//'{{.RestartCount}}'/0}
        text=\${text//'{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}'/$health}
        text=\${text//'{{"\\t"}}'/$'\\t'}
        printf '%s\\n' "$text"
      done
    }
    containers=("$@") how_many=$#
    all_settled`;
  const lines = containers.map(({ state, health = 'none', exit = 0, policy = 'no', own = 'fails' }, id) =>
    [id + 1, state, health, exit, policy, own].join(','),
  );
  const { status, stderr } = spawnSync('bash', ['-c', frame, 'bash', ...scripts, ...lines], { encoding: 'utf8' });
  assert.equal(stderr, '');
  return status === 0;
}

test('it waits for one that is starting', () => {
  assert.equal(settled({ state: 'running', health: 'healthy' }), true);
  assert.equal(settled({ state: 'running', health: 'healthy' }, { state: 'running', health: 'starting' }), false);
});

test('it does not wait for Docker to run a test that passes', () => {
  assert.equal(settled({ state: 'running', health: 'starting', own: 'passes' }), true);
  const [passes, fails] = (['passes', 'fails'] as const).map((own) => ({ state: 'running', health: 'starting', own }));
  assert.equal(settled(...[passes, fails].filter((each) => each !== undefined)), false);
});

test('one that never will be healthy ends it', () => {
  assert.equal(settled({ state: 'running', health: 'starting' }, { state: 'exited', exit: 1 }), true);
});

for (const policy of ['no', '', 'on-failure']) {
  test(`one that has done its work, with the restart policy "${policy}", does not end it`, () => {
    assert.equal(settled({ state: 'exited', policy }, { state: 'running', health: 'starting' }), false);
  });
}
