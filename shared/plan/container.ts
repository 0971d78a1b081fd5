import type { FoundContainer } from '../host/survey.ts';

// What is read from a container as it was found.

export function isAtWork({ state }: FoundContainer): boolean {
  return state === 'running' || state === 'restarting';
}

/** By destination: volumes that have no name of their own. */
export function anonymousVolumes(own: readonly FoundContainer[]): Record<string, string> {
  const volumes = own.flatMap((container) => container.volumes).filter(({ name }) => /^[0-9a-f]{64}$/.test(name));
  return Object.fromEntries(volumes.map(({ name, destination }) => [destination, name]));
}
