// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of compose, not ours

// What compose must be told besides its files: profiles, and tags that only the deployer's shell had.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { extrasFor } from '../../../shared/releases/survey-project.ts';
import type { ComposeSurvey } from '../../../shared/survey/survey-compose.ts';
import { container } from './shop.ts';

const json = (services: object) => JSON.stringify({ name: 'shop', services });
const runs = (service: string, image: string, created = '2026-11-27T00:00:00Z') =>
  container(service, { image, created });

const cases: [
  what: string,
  config: object | null,
  template: object,
  containers: ReturnType<typeof container>[],
  extras: { profiles: string[]; variables: Record<string, string> } | null,
  envNames?: string[],
][] = [
  ['nothing', { web: { image: 'acme/web:v2' } }, { web: { image: 'acme/web:v2' } }, [runs('web', 'acme/web:v2')], null],
  [
    'the profile of a service that runs',
    { web: { image: 'acme/web:v2' } },
    { web: { image: 'acme/web:v2' }, job: { image: 'acme/job:v2', profiles: ['jobs', 'more'] } },
    [runs('web', 'acme/web:v2'), runs('job', 'acme/job:v2')],
    { profiles: ['jobs'], variables: {} },
  ],
  [
    'no profile of one that does not, or that is on already',
    { on: { image: 'acme/on:v2' } },
    { on: { image: 'acme/on:v2', profiles: ['a'] }, off: { image: 'acme/off:v2', profiles: ['b'] } },
    [runs('on', 'acme/on:v2')],
    null,
  ],
  [
    'a tag, if compose cannot read the files without it',
    null,
    { web: { image: 'acme/web:${TAG:?}' } },
    [runs('web', 'acme/web:v2')],
    { profiles: [], variables: { TAG: 'v2' } },
  ],
  [
    'a tag, as a rollback has left it',
    { web: { image: 'acme/web:' } },
    { web: { image: 'acme/web:${TAG}' } },
    [runs('web', `acme/web:v1@sha256:${'a'.repeat(64)}`)],
    { profiles: [], variables: { TAG: 'v1' } },
  ],
  [
    'that of the newest container',
    { web: { image: 'acme/web:' }, api: { image: 'acme/api:' } },
    { web: { image: 'acme/web:${TAG}' }, api: { image: 'acme/api:${TAG}' } },
    [runs('web', 'acme/web:v2', '2026-11-27T00:00:00Z'), runs('api', 'acme/api:v1', '2026-11-26T00:00:00Z')],
    { profiles: [], variables: { TAG: 'v2' } },
  ],
  [
    'none that the env file sets: it may say something else on purpose',
    { web: { image: 'acme/web:v3' } },
    { web: { image: 'acme/web:${TAG}' } },
    [runs('web', 'acme/web:v2')],
    null,
    ['TAG'],
  ],
  [
    'a tag beside a registry that the env file sets',
    { web: { image: 'localhost:5000/web:' } },
    { web: { image: '${REGISTRY}/web:${TAG}' } },
    [runs('web', 'localhost:5000/web:v2')],
    { profiles: [], variables: { TAG: 'v2' } },
    ['REGISTRY'],
  ],
  [
    'none if another image runs than the file has',
    { web: { image: 'acme/web:' } },
    { web: { image: 'acme/web:${TAG}' } },
    [runs('web', 'acme/other:v2')],
    null,
  ],
];
for (const [what, config, template, containers, extras, envNames = []] of cases)
  test(`compose is told: ${what}`, () => {
    const compose = { config: config === null ? '' : json(config), template: json(template), envNames };
    const found = extrasFor({ compose: compose as unknown as ComposeSurvey, containers });
    const told = found && {
      profiles: found.profiles,
      variables: Object.fromEntries(found.variables.map(({ name, value }) => [name, value])),
    };
    assert.deepEqual(told, extras);
  });
