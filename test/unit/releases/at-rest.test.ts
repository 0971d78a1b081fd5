import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isStoppedByHand, restOf } from '../../../shared/plan/at-rest.ts';
import type { ComposeService } from '../../../shared/releases/project.ts';
import type { FoundContainer } from '../../../shared/survey/survey.ts';
import type { ContainerEnding } from '../../../shared/survey/survey-swap.ts';
import { container, ending as endingOf, service } from './shop.ts';

interface Given {
  ending?: Partial<ContainerEnding>;
  state?: string;
  ofService?: Partial<ComposeService>;
  ofContainer?: Partial<FoundContainer>;
  named?: boolean;
}

function judge({ ending = {}, state = 'exited', ofService = {}, ofContainer = {}, named = false }: Given) {
  const bare = { exposedPorts: [], healthTest: null };
  const own = [container('worker', { state, ...bare, ...ofContainer })];
  const endings = [endingOf('worker', ending)];
  const rest = restOf(service('worker', ofService), own, endings, named);
  if (rest === null) return 'as if it ran';
  return `${rest.isGuess ? 'perhaps ' : ''}${rest.stays ? 'stays' : 'starts'}`;
}

const cases: [what: string, given: Given, expected: string][] = [
  ['it runs', { state: 'running' }, 'as if it ran'],
  ['it is in a crash loop', { state: 'restarting' }, 'as if it ran'],
  ['a failed deployment has only created it', { state: 'created' }, 'as if it ran'],
  ['a rollback has left it stopped', { state: 'created', ofContainer: { transaction: '20261127_015815' } }, 'stays'],
  [
    'a rollback has left it stopped, but it is named',
    { state: 'created', ofContainer: { transaction: '20261127_015815' }, named: true },
    'starts',
  ],
  ['Docker could not start it', { ending: { policy: 'always', exitCode: 128, startFailed: true } }, 'starts'],
  ['it is dead', { state: 'dead' }, 'as if it ran'],
  ['Docker would have started it again: always', { ending: { policy: 'always', exitCode: 1 } }, 'stays'],
  ['Docker would have started it again: unless-stopped', { ending: { policy: 'unless-stopped' } }, 'stays'],
  ['it was killed by SIGTERM', { ending: { exitCode: 143 } }, 'stays'],
  ['it was killed by SIGINT', { ending: { exitCode: 130 } }, 'stays'],
  ['it was killed by SIGKILL', { ending: { exitCode: 137 } }, 'stays'],
  ['the kernel has killed it for its memory', { ending: { exitCode: 137, outOfMemory: true } }, 'starts'],
  ['the host was restarted since: a worker', { ending: { exitCode: 143, finishedAt: 500 } }, 'perhaps stays'],
  [
    'the host was restarted since: with a port',
    { ending: { exitCode: 143, finishedAt: 500 }, ofService: { publishes: true } },
    'perhaps starts',
  ],
  ['it crashed', { ending: { exitCode: 3 } }, 'starts'],
  ['it crashed once too often', { ending: { policy: 'on-failure', exitCode: 1 } }, 'starts'],
  ['it had crashed in the end, but was stopped', { ending: { exitCode: 3, events: ['kill', 'die', 'stop'] } }, 'stays'],
  ['somebody killed it', { ending: { exitCode: 0, events: ['kill', 'die'] } }, 'stays'],
  ['it was stopped, and ended well', { ending: { events: ['die', 'stop'] }, ofService: { publishes: true } }, 'stays'],
  ['a task has ended by itself', { ending: { events: ['die'] } }, 'perhaps stays'],
  ['a server has ended by itself', { ending: { events: ['die'] }, ofService: { publishes: true } }, 'perhaps starts'],
  [
    'a server behind a proxy has ended, and nobody remembers why',
    { ofContainer: { exposedPorts: ['8080/tcp'], healthTest: 'CMD' } },
    'perhaps starts',
  ],
  ['it exposes a port, but has no health check', { ofContainer: { exposedPorts: ['8080/tcp'] } }, 'perhaps stays'],
  ['nothing is known of its end', { ending: { id: 'another' } }, 'perhaps stays'],
  ['it is named, and was stopped', { ending: { policy: 'always' }, named: true }, 'starts'],
];

describe('a service that is not running', () => {
  for (const [what, given, expected] of cases) test(`${what}: ${expected}`, () => assert.equal(judge(given), expected));

  test('one of several that crashed starts all', () => {
    const own = [container('worker', { state: 'exited', id: 'a' }), container('worker', { state: 'exited', id: 'b' })];
    const endings = [endingOf('worker', { id: 'a', exitCode: 143 }), endingOf('worker', { id: 'b', exitCode: 1 })];
    assert.equal(restOf(service('worker'), own, endings, false)?.stays, false);
  });
});

test('stopped by hand is only what certainly was', () => {
  const is = (changes: Partial<ContainerEnding>, state = 'exited') =>
    isStoppedByHand([container('worker', { state })], [endingOf('worker', { exitCode: 143, ...changes })]);
  assert.equal(is({ policy: 'always' }), true);
  assert.equal(is({ events: ['kill', 'die', 'stop'] }), true);
  assert.equal(is({}), false);
  assert.equal(is({ exitCode: 137 }), false);
  assert.equal(is({ policy: 'always', startFailed: true }), false);
  assert.equal(is({ policy: 'always' }, 'running'), false);
});
