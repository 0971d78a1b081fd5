import type { ComposeService } from '../releases/project.ts';
import type { FoundContainer } from '../survey/survey.ts';
import type { ContainerEnding } from '../survey/survey-swap.ts';
import { hasHealthTest } from './strategy.ts';

/** Whether a service that is not running stays so, and why. */
export interface Rest {
  stays: boolean;
  /** A printed line. */
  why: string;
  /** The host does not tell why it ended: this is a guess. */
  isGuess: boolean;
}

/** Why a container ended: somebody stopped it; it crashed; it ended well; or nobody can tell. */
type Cause = 'stopped' | 'crashed' | 'done' | 'unknown';

/** The exit codes of a program that ended by SIGINT, SIGKILL or SIGTERM. */
const toldToEnd: readonly number[] = [130, 137, 143];

/**
 * Judges a service none of whose containers is running; null if it is to be started anyway, as one that runs is. What was
 * stopped on purpose stays stopped. What crashed must be started, or the rollback would leave it down.
 * @param own its containers
 * @param isNamed the input "services" names it
 */
export function restOf(
  service: ComposeService,
  own: readonly FoundContainer[],
  endings: readonly ContainerEnding[],
  isNamed: boolean,
): Rest | null {
  if (own.length === 0 || !own.every((each) => each.state === 'exited' || isKeptStopped(each))) return null;
  if (isNamed) return { stays: false, why: 'the input "services" names it', isGuess: false };
  if (own.every(isKeptStopped)) {
    return {
      stays: true,
      why: 'an earlier rollback has left it stopped, and nobody has started it since',
      isGuess: false,
    };
  }
  const exited = own.filter((each) => !isKeptStopped(each));
  const ended = exited.map(({ id }) => endings.find((ending) => ending.id === id)).filter((each) => each !== undefined);
  const causes = new Set(ended.map(causeOf));
  if (ended.length < exited.length) causes.add('unknown');
  if (causes.has('crashed')) return { stays: false, why: `it crashed (${codesOf(ended)})`, isGuess: false };
  if (causes.size === 1 && causes.has('stopped')) {
    return { stays: true, why: 'it was stopped by hand', isGuess: false };
  }
  const how = `it ended by itself or was stopped (${codesOf(ended)})`;
  if (service.publishes) return { stays: false, why: `${how}, but publishes a port`, isGuess: true };
  if (serves(service, own)) {
    return { stays: false, why: `${how}, but has a port and a health check`, isGuess: true };
  }
  return { stays: true, why: `${how}, and serves no port`, isGuess: true };
}

/** Whether others are likely to ask it for something. */
export function serves({ publishes }: ComposeService, own: readonly FoundContainer[]): boolean {
  return publishes || (own.some(({ exposedPorts }) => exposedPorts.length > 0) && own.every(hasHealthTest));
}

/** Whether somebody has stopped all of these containers. Only what is certain: an exit code alone may be that of a crash. */
export function isStoppedByHand(own: readonly FoundContainer[], endings: readonly ContainerEnding[]): boolean {
  return (
    own.length > 0 &&
    own.every(({ id, state }) => {
      const ending = endings.find((each) => each.id === id);
      if (ending === undefined || state !== 'exited' || causeOf(ending) !== 'stopped') return false;
      return restartsAlways(ending) || ending.events.includes('stop');
    })
  );
}

/** Docker starts these again, whatever they ended with, unless somebody stopped them. */
function restartsAlways({ policy }: ContainerEnding): boolean {
  return policy === 'always' || policy === 'unless-stopped';
}

/** A rollback makes such a container and does not start it. A failed deployment leaves some as well: those are to be started. */
export function isKeptStopped({ state, transaction }: FoundContainer): boolean {
  return state === 'created' && transaction !== '';
}

function codesOf(ended: readonly ContainerEnding[]): string {
  return [...new Set(ended.map(({ exitCode }) => `exit ${exitCode}`))].join(', ');
}

function causeOf(ending: ContainerEnding): Cause {
  const { exitCode, outOfMemory, startFailed, finishedAt, dockerSince, events } = ending;
  // Docker does not try again what it could not start, whatever the policy says.
  if (startFailed) return 'crashed';
  if (restartsAlways(ending)) return 'stopped';
  if (events.includes('stop') || events.includes('kill')) return 'stopped';
  if (outOfMemory) return 'crashed';
  // A restart of the host or of Docker stops containers as well.
  if (toldToEnd.includes(exitCode)) return finishedAt >= dockerSince ? 'stopped' : 'unknown';
  if (exitCode !== 0) return 'crashed';
  return events.includes('die') ? 'done' : 'unknown';
}
