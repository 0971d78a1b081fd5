import type { FoundContainer } from '../survey/survey.ts';

// Facts about a container, as the survey found it.

export function isAtWork({ state }: FoundContainer): boolean {
  return state === 'running' || state === 'restarting';
}

/** Anonymous volumes, by destination. Docker names them with 64 hex digits. */
export function anonymousVolumes(own: readonly FoundContainer[]): Record<string, string> {
  const volumes = own.flatMap((container) => container.volumes).filter(({ name }) => /^[0-9a-f]{64}$/.test(name));
  return Object.fromEntries(volumes.map(({ name, destination }) => [destination, name]));
}
