import { Failure } from '../failure.ts';

/** From here on `--no-recreate`, `--pull never` and `!reset` do what a swap needs of them. */
const oldest = [2, 20] as const;

/**
 * @param version as `docker compose version --short` prints it: `2.26.1-4`, `v2.20.0`
 * @throws Failure `compose-too-old`
 */
export function checkComposeVersion(version: string): void {
  const [, major = '0', minor = '0'] = /^v?(\d+)\.(\d+)/.exec(version.trim()) ?? [];
  const isNewEnough = Number(major) > oldest[0] || (Number(major) === oldest[0] && Number(minor) >= oldest[1]);
  if (isNewEnough) return;
  throw new Failure(
    'compose-too-old',
    `The host's docker compose is ${version.trim().slice(0, 50) || 'unknown'}; 2.20 or newer is needed`,
    {
      hint: 'On the host, as root: apt-get install docker-compose-plugin (from Docker’s own packages)',
    },
  );
}

/** @throws Failure `no-compose` */
export function noCompose(error: string): never {
  throw new Failure('no-compose', 'The host has no docker compose', {
    hint: 'On the host, as root: apt-get install docker-compose-plugin. The old docker-compose (with a hyphen) will not do',
    cause: error,
  });
}
