import type { SettingsDrift } from '../releases/service-settings.ts';
import type { SettingsChange } from '../releases/settings-hash.ts';
import { listed } from '../units.ts';

/** How many names are listed of one service at most. */
export const mostNames = 8;

/** How the settings of a service in the compose files have changed since the target ran. */
export interface SettingsOfTarget {
  service: string;
  change: SettingsChange;
  /** `healthcheck.test`; empty if the host has not kept the settings of that time. */
  differing: string[];
  /** The host has kept them. */
  isKept: boolean;
}

/** What to tell of it; null if nothing. */
export function describeChange({ service, change, differing, isKept }: SettingsOfTarget): string | null {
  if (change !== 'yes') return null;
  const what = differing.length === 0 ? '' : `: ${listed(differing, mostNames)}`;
  const back = isKept ? '. To go back to those of that time as well: compose: kept' : '';
  return `The settings of ${service} in the compose files have changed since the target ran${what}${back}`;
}

/** What to tell of settings that have changed since the containers were created; one line per problem. */
export function describeDrift({ service, changed, mounted }: SettingsDrift): string[] {
  return [
    ...(changed.length === 0
      ? []
      : [
          `${service} starts with today's settings, which differ from those it runs with: ${listed(changed, mostNames)}`,
        ]),
    ...(mounted.length === 0
      ? []
      : [`Files that ${service} mounts have changed since its container was created: ${listed(mounted, mostNames)}`]),
  ];
}
