import type { Survey } from '../survey/survey.ts';
import type { ComposeSurvey, ContainerSettings } from '../survey/survey-compose.ts';
import { entriesOf, plain, valueIfUnset, variablesIn, wholeVariable } from './template-variables.ts';

/** What a service would be started with now, compared with what its container was created with. Names only, never values. */
export interface SettingsDrift {
  service: string;
  /** Settings whose value comes from a variable that is not set now, although the container has a value. */
  lost: { setting: string; variable: string | null }[];
  /** Further settings that differ: `environment COLOUR`. */
  changed: string[];
  /** Files that are mounted into the container and have changed since it was created. */
  mounted: string[];
}

/** The fields of a service that are compared. Values contain secrets. */
interface ServiceFields {
  environment?: unknown;
  labels?: unknown;
  configs?: { source?: string }[];
  command?: string[] | null;
  entrypoint?: string[] | null;
  user?: string;
  hostname?: string;
  working_dir?: string;
  ports?: unknown[];
  volumes?: unknown[];
}

export interface DriftRequest {
  service: string;
  /** `docker compose config --format json`, and the same with `--no-interpolate`. */
  config: string;
  template: string;
  unsetNames: readonly string[];
  /** Names of the variables in the env file; null if there is none. */
  envNames: readonly string[] | null;
  settings: ContainerSettings;
  /** ISO 8601. */
  created: string;
  /** A file that the compose file refers to uses a variable that is not set. */
  isUnsetElsewhere: boolean;
  /** Names of the variables that the image sets. */
  imageVariables: readonly string[];
  mountedFiles: readonly { path: string; changedAt: number }[];
}

/** By service: the newest container stands for the others. */
export function settingsDrift(
  { containers, images }: Pick<Survey, 'containers' | 'images'>,
  compose: Pick<
    ComposeSurvey,
    'config' | 'template' | 'unset' | 'unsetNames' | 'envNames' | 'mountedFiles' | 'settings'
  >,
): Map<string, SettingsDrift> {
  const settings = new Map(compose.settings.map((each) => [each.id, each]));
  const variables = new Map(images.map((image) => [image.id, image.variables]));
  const oldestFirst = containers.toSorted((a, b) => Date.parse(a.created) - Date.parse(b.created));
  const newest = new Map(oldestFirst.map((container) => [container.service, container]));
  const isUnsetElsewhere = compose.unset.some((each) => each.in === 'elsewhere');
  return new Map(
    [...newest].flatMap(([service, { id, created, imageId }]) => {
      const own = settings.get(id);
      if (own === undefined) return [];
      const imageVariables = variables.get(imageId) ?? [];
      return [[service, driftOf({ ...compose, service, created, settings: own, imageVariables, isUnsetElsewhere })]];
    }),
  );
}

/** Docker passes these on by itself, from the settings of its client. */
const proxyVariables = /^(https?|ftp|no|all)_proxy$/i;

/** Compares the settings of one service with its container. */
export function driftOf(request: DriftRequest): SettingsDrift {
  const { service, settings, created, mountedFiles } = request;
  const comparison = new Comparison(request);
  compareEnvironment(comparison, request);
  compareLabels(comparison, settings);
  compareFields(comparison, settings);
  comparePorts(comparison, settings);
  compareVolumes(comparison, request);
  compareConfigs(comparison, request);
  const sources = new Set(settings.mounts.map(({ Source }) => Source));
  const mounted = mountedFiles
    .filter(({ path, changedAt }) => sources.has(path) && changedAt > Date.parse(created))
    .map(({ path }) => path);
  return { service, lost: comparison.lost, changed: comparison.changed, mounted };
}

/** A service as compose would start it, and what of it differs from the container. */
class Comparison {
  readonly now: ServiceFields;
  /** With its variables. */
  readonly written: ServiceFields;
  readonly lost: SettingsDrift['lost'] = [];
  readonly changed: string[] = [];
  readonly #unset: ReadonlySet<string>;
  readonly #envNames: ReadonlySet<string>;
  readonly #isUnsetElsewhere: boolean;

  constructor({ config, template, service, unsetNames, envNames, isUnsetElsewhere }: DriftRequest) {
    this.now = fieldsOf(config, service);
    this.written = fieldsOf(template, service);
    this.#unset = new Set(unsetNames);
    this.#envNames = new Set(envNames ?? []);
    this.#isUnsetElsewhere = isUnsetElsewhere;
  }

  /** @param ran what the container has; null for nothing */
  compare(setting: string, template: unknown, value: string | null, ran: string | null): void {
    if (value === ran) return;
    const isLost =
      ran !== null &&
      ran !== '' &&
      (this.isUnset(template) || this.#isDefault(template, value) || this.#isFromFile(setting, template));
    if (isLost) this.lose(setting, typeof template === 'string' ? wholeVariable(template) : null);
    else this.changed.push(setting);
  }

  lose(setting: string, variable: string | null = null): void {
    this.lost.push({ setting, variable });
  }

  isUnset(template: unknown): boolean {
    return variablesIn(textOf(template)).some(({ name }) => this.#unset.has(name));
  }

  /** Compose does not complain of a variable with a default. It is not set if the value is what comes of that. */
  #isDefault(template: unknown, value: string | null): boolean {
    const uses = typeof template === 'string' ? variablesIn(template) : [];
    return (
      uses.length > 0 &&
      uses.every(({ name }) => !this.#envNames.has(name)) &&
      value === valueIfUnset(template as string)
    );
  }

  /** A value from an env_file, which compose shows without its variables. */
  #isFromFile(setting: string, template: unknown): boolean {
    return template === undefined && setting.startsWith('environment ') && this.#isUnsetElsewhere;
  }
}

function compareEnvironment(comparison: Comparison, { settings, imageVariables }: DriftRequest): void {
  const ran = environmentOf(settings);
  const environment = entriesOf(comparison.now.environment);
  const templates = entriesOf(comparison.written.environment);
  const ofImage = new Set(imageVariables);
  for (const [name, value] of Object.entries(environment)) {
    const template = templates[name];
    // Only a name: the value is that of the shell, if it has one.
    const isPassedOn = template === null && value === null;
    if (isPassedOn && (ran.get(name) ?? '') !== '' && !ofImage.has(name)) comparison.lose(`environment ${name}`, name);
    else if (!isPassedOn)
      comparison.compare(`environment ${name}`, template, plain(value ?? ''), ran.get(name) ?? null);
  }
  const known = new Set([...Object.keys(environment), ...ofImage]);
  for (const name of ran.keys())
    if (!known.has(name) && !proxyVariables.test(name)) comparison.changed.push(`environment ${name}`);
}

function compareLabels(comparison: Comparison, { labels: ran }: ContainerSettings): void {
  const templates = entriesOf(comparison.written.labels);
  for (const [name, value] of Object.entries(entriesOf(comparison.now.labels)))
    comparison.compare(`label ${name}`, templates[name], plain(value ?? ''), ran?.[name] ?? null);
}

/** Settings that are one text, or a list of words. */
function compareFields(comparison: Comparison, settings: ContainerSettings): void {
  const { now, written } = comparison;
  const texts = {
    user: settings.user,
    // Docker gives one of twelve hex digits where none was asked for.
    hostname: /^[0-9a-f]{12}$/.test(settings.hostname) ? null : settings.hostname,
    working_dir: settings.workingDir,
  };
  for (const field of ['user', 'hostname', 'working_dir'] as const) {
    const value = now[field];
    if (typeof value === 'string') comparison.compare(field, written[field], plain(value), texts[field]);
  }
  for (const field of ['command', 'entrypoint'] as const) {
    const words = now[field];
    if (Array.isArray(words))
      comparison.compare(
        field,
        written[field],
        words.map(plain).join('\0'),
        (settings[field] ?? []).join('\0') || null,
      );
  }
}

/** How ports and volumes are written differs too much to be compared word by word: they are only where a variable is missing. */
function comparePorts(comparison: Comparison, settings: ContainerSettings): void {
  const { now, written } = comparison;
  if (comparison.isUnset(written.ports) && publishedIn(now.ports) !== publishedBy(settings)) comparison.lose('ports');
}

function compareVolumes(comparison: Comparison, { config, settings }: DriftRequest): void {
  const { now, written } = comparison;
  if (comparison.isUnset(written.volumes) && !mountsAreThere(now.volumes, settings)) comparison.lose('volumes');
  // Another volume would be an empty one, or somebody else's data.
  for (const { target, name } of namedVolumes(config, now.volumes)) {
    const mount = settings.mounts.find(({ Destination, Type }) => Destination === target && Type === 'volume');
    if (mount !== undefined && mount.Name !== name) comparison.lose(`the volume at ${target}`);
  }
}

function compareConfigs(comparison: Comparison, { template }: DriftRequest): void {
  for (const { source = '' } of comparison.now.configs ?? [])
    if (comparison.isUnset(contentOf(template, source))) comparison.lose(`config ${source}`);
}

function textOf(template: unknown): string {
  return typeof template === 'string' ? template : template === undefined ? '' : JSON.stringify(template);
}

interface Sections {
  services?: Record<string, ServiceFields>;
  volumes?: Record<string, { name?: string } | null>;
  configs?: Record<string, { content?: string } | null>;
}

function sectionsOf(json: string): Sections {
  try {
    return JSON.parse(json) as Sections;
  } catch {
    return {};
  }
}

function namedVolumes(config: string, volumes: readonly unknown[] | undefined): { target: string; name: string }[] {
  const { volumes: known = {} } = sectionsOf(config);
  return (volumes ?? [])
    .map((volume) => volume as { type?: string; source?: string; target?: string })
    .flatMap(({ type, source = '', target = '' }) => {
      const name = known[source]?.name;
      return type !== 'volume' || name === undefined ? [] : [{ target, name }];
    });
}

function contentOf(template: string, source: string): string {
  return sectionsOf(template).configs?.[source]?.content ?? '';
}

function fieldsOf(json: string, service: string): ServiceFields {
  const { services = {} } = sectionsOf(json);
  return (Object.hasOwn(services, service) ? services[service] : undefined) ?? {};
}

function environmentOf({ environment }: ContainerSettings): Map<string, string> {
  return new Map(
    (environment ?? []).map((each): [string, string] => {
      const at = each.indexOf('=');
      return at < 0 ? [each, ''] : [each.slice(0, at), each.slice(at + 1)];
    }),
  );
}

function publishedIn(ports: readonly unknown[] | undefined): string {
  return (ports ?? [])
    .map((port) => port as { published?: unknown; target?: unknown; protocol?: unknown })
    .map(({ published, target, protocol }) => `${published ?? ''}>${target}/${protocol ?? 'tcp'}`)
    .toSorted()
    .join();
}

function publishedBy({ ports }: ContainerSettings): string {
  return Object.entries(ports ?? {})
    .flatMap(([target, bindings]) => (bindings ?? []).map(({ HostPort }) => `${HostPort}>${target}`))
    .toSorted()
    .join();
}

function mountsAreThere(volumes: readonly unknown[] | undefined, { mounts }: ContainerSettings): boolean {
  return (volumes ?? [])
    .map((volume) => volume as { type?: string; source?: string; target?: string })
    .every(
      ({ type, source, target }) =>
        type !== 'bind' || mounts.some((mount) => mount.Destination === target && mount.Source === source),
    );
}
