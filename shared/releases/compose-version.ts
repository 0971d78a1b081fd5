import { Failure } from '../failure.ts';
import type { Survey } from '../survey/survey.ts';
import type { ComposeSurvey } from '../survey/survey-compose.ts';

type Version = readonly [major: number, minor: number, patch: number];

/** The oldest version in which `--no-recreate` and `--pull never` do what a swap needs. */
const oldest: Version = [2, 20, 0];
/** The oldest version in which an override can remove a fixed name with `!reset`, according to compose's reference. */
const oldestReset: Version = [2, 24, 4];

/**
 * @param version as `docker compose version --short` prints it: `2.26.1-4`, `v2.20.0`
 * @throws Failure `compose-too-old`
 */
export function checkComposeVersion(version: string): void {
  if (isAtLeast(oldest, version)) return;
  throw new Failure(
    'compose-too-old',
    `The host has docker compose ${version.trim().slice(0, 50) || 'in an unknown version'}; 2.20 or newer is needed`,
    {
      hint: 'On the host, as root: apt-get install docker-compose-plugin (from Docker’s own packages)',
    },
  );
}

/** True if `!reset` in an override removes a fixed name. @param version as above */
export function supportsReset(version: string): boolean {
  return isAtLeast(oldestReset, version);
}

function isAtLeast(needed: Version, version: string): boolean {
  const [, ...parts] = /^v?(\d+)\.(\d+)(?:\.(\d+))?/.exec(version.trim()) ?? [];
  const difference = needed.map((part, index) => Number(parts[index] ?? 0) - part).find((each) => each !== 0);
  return (difference ?? 0) >= 0;
}

/**
 * What compose says of the project, by a compose that is new enough.
 * @throws Failure `no-compose`, `compose-too-old`
 */
export function demandCompose({ compose }: Pick<Survey, 'compose'>): ComposeSurvey {
  if (compose === null || 'error' in compose) return noCompose(compose?.error ?? '');
  checkComposeVersion(compose.version);
  return compose;
}

/** @throws Failure `no-compose` */
export function noCompose(error: string): never {
  throw new Failure('no-compose', 'The host has no docker compose', {
    hint: 'On the host, as root: apt-get install docker-compose-plugin. The old docker-compose (with a hyphen) is not enough',
    cause: error,
  });
}
