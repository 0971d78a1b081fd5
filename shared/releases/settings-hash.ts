import { createHmac } from 'node:crypto';
import { canonicalJson } from '../canonical-json.ts';
import type { Survey } from '../survey/survey.ts';
import type { ComposeSurvey } from '../survey/survey-compose.ts';
import { settingsDrift } from './service-settings.ts';
import { entriesOf, variablesIn } from './template-variables.ts';

/** The settings with which a release ran, as hashes that tell nothing without the host's key. */
export interface KnownSettings {
  /** Of docker compose: another version may write the same settings in another way. */
  compose: string;
  /** Names the copy of the configuration that the host keeps, if it keeps one. */
  kept: string;
  /** By service: everything that compose would create it from, apart from the image. */
  services: Record<string, string>;
}

interface Configuration {
  services: Record<string, Record<string, unknown>>;
  configs?: Record<string, unknown>;
  secrets?: Record<string, unknown>;
}

/** @returns null if compose gave no configuration, or the host no key */
export function settingsOf({
  version,
  config,
  template,
  settingsKey,
}: Pick<ComposeSurvey, 'version' | 'config' | 'template' | 'settingsKey'>): KnownSettings | null {
  const parsed = parse(config);
  if (parsed === null || settingsKey === null) return null;
  const written = parse(template);
  const hash = (value: string) => createHmac('sha256', settingsKey).update(value).digest('hex').slice(0, 32);
  const services = Object.entries(parsed.services).map(([service, fields]): [string, string] => [
    service,
    hash(canonicalJson({ ...comparable(fields, written?.services[service]), files: filesOf(fields, parsed) })),
  ]);
  return { compose: version.trim(), kept: hash(config), services: Object.fromEntries(services) };
}

/**
 * The settings, if it is certain that the containers were created with them: nothing differs, no file has changed since, and
 * they do not come from a configuration that a rollback has taken from the past.
 * @param ignored databases, which are created once and then kept
 */
export function provenSettings(
  { containers, images }: Pick<Survey, 'containers' | 'images'>,
  compose: ComposeSurvey,
  ignored: ReadonlySet<string>,
): KnownSettings | null {
  const own = containers.filter(({ service }) => !ignored.has(service));
  const drift = [...settingsDrift({ containers: own, images }, compose).values()];
  const newest = Math.max(...own.map(({ created }) => Date.parse(created)));
  const isKept = compose.settings.some(({ labels }) =>
    (labels?.['com.docker.compose.project.config_files'] ?? '').includes('/rollback/compose/'),
  );
  const isSame = drift.every(({ lost, changed }) => lost.length + changed.length === 0);
  return isSame && !isKept && compose.changedAt <= newest ? settingsOf(compose) : null;
}

/**
 * A service without what differs from release to release by itself: its image, and values made from a variable that also
 * makes the tag, such as `VERSION: ${TAG}`. Those are taken as they are written.
 */
function comparable(
  fields: Record<string, unknown>,
  written: Record<string, unknown> | undefined,
): Record<string, unknown> {
  const { image: _, ...rest } = fields;
  const tagVariables = new Set(variablesIn(String(written?.['image'] ?? '')).map(({ name }) => name));
  const asWritten = (section: string) => {
    const templates = entriesOf(written?.[section]);
    return Object.fromEntries(
      Object.entries(entriesOf(rest[section])).map(([name, value]) => {
        const template = templates[name] ?? '';
        const isTag = variablesIn(template).some((use) => tagVariables.has(use.name));
        return [name, isTag ? template : value];
      }),
    );
  };
  return { ...rest, environment: asWritten('environment'), labels: asWritten('labels') };
}

/** What the configs and secrets of a service are made from. */
function filesOf(fields: Record<string, unknown>, { configs = {}, secrets = {} }: Configuration): unknown[] {
  const of = (section: string, sources: Record<string, unknown>) =>
    ((fields[section] ?? []) as { source?: string }[]).map(({ source = '' }) => sources[source] ?? null);
  return [of('configs', configs), of('secrets', secrets)];
}

function parse(json: string): Configuration | null {
  try {
    const value = JSON.parse(json) as Configuration;
    return typeof value.services === 'object' && value.services !== null ? value : null;
  } catch {
    return null;
  }
}

/** How the settings of a service have changed since a release ran. */
export type SettingsChange = 'no' | 'yes' | 'unknown';

export function settingsChanged(
  then: KnownSettings | null,
  now: KnownSettings | null,
  service: string,
): SettingsChange {
  if (then === null || now === null || then.compose !== now.compose) return 'unknown';
  const [before, today] = [then.services[service], now.services[service]];
  if (before === undefined || today === undefined) return 'unknown';
  return before === today ? 'no' : 'yes';
}

/** The settings that differ between two configurations of a service, as paths: `healthcheck.test`. Names only. */
export function differingSettings(one: string, other: string, service: string): string[] {
  const paths = (json: string) => {
    const found = new Map<string, string>();
    const fields = parse(json)?.services[service] ?? {};
    const { image: _, ...rest } = fields;
    const visit = (value: unknown, path: string) => {
      const isBranch = typeof value === 'object' && value !== null && !Array.isArray(value);
      // Two levels say enough: `environment.COLOUR`, `deploy.resources`.
      if (!isBranch || path.split('.').length === 2) found.set(path, canonicalJson(value));
      else for (const [key, part] of Object.entries(value)) visit(part, path === '' ? key : `${path}.${key}`);
    };
    visit(rest, '');
    return found;
  };
  const [before, after] = [paths(one), paths(other)];
  return [...new Set([...before.keys(), ...after.keys()])]
    .filter((path) => before.get(path) !== after.get(path))
    .toSorted();
}
