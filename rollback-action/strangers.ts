import { Failure } from '../shared/failure.ts';
import type { WorkflowContext } from '../shared/runner/context.ts';

/** Events that a stranger can trigger, most of them with their own code or text: on a public repository, anybody may open an issue. */
const untrustedEvents = /^(pull_request|issue|discussion|fork$|watch$)/;

/** @throws Failure `untrusted-event` if anybody could have started this run */
export function refuseStrangers({ event }: Pick<WorkflowContext, 'event'>): void {
  if (event === null || !untrustedEvents.test(event)) return;
  throw new Failure('untrusted-event', `Refusing to roll back for the event ${event}: anybody can trigger it`, {
    hint: 'Start it with workflow_dispatch, from a branch that only you can write to',
  });
}
