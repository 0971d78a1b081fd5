// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of compose, not ours

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { linesToChange } from '../../../shared/plan/persist.ts';
import type { PlanRequest } from '../../../shared/plan/plan-request.ts';
import { planRollback } from '../../../shared/plan/plan-rollback.ts';
import { request, sha, shop, wanted } from './shop.ts';

const files = { files: ['/opt/shop/compose.yml'], envFiles: ['/opt/shop/.env'] };
const lines = (changes: Partial<PlanRequest>) => linesToChange(planRollback(request(changes)).services, files);
const web = (
  image: string,
  imageTemplate: string | null = null,
  target = { tag: 'v2' as string | null, digest: sha('c') },
) => ({
  project: shop({ web: { image, imageTemplate } }),
  wanted: wanted({ web: { ...target, imageId: null } }),
});

const inFile =
  'In /opt/shop/compose.yml on the host, service web, write this, or the next docker compose up undoes the rollback: image: ';
const table: [what: string, changes: Partial<PlanRequest>, told: string[]][] = [
  [
    'a tag that moves needs nothing on the host, but the registry still has what was rolled back from',
    web('ghcr.io/acme/web:latest'),
    [
      'On this host, ghcr.io/acme/web:latest now means the target. The registry was not changed: until a fixed release is pushed under that name, the next docker compose pull brings the bad one back',
    ],
  ],
  [
    'unless it may not be moved',
    { ...web('ghcr.io/acme/web:latest'), persist: 'none' },
    [`${inFile}ghcr.io/acme/web:v2`],
  ],
  ['a version in the file', web('ghcr.io/acme/web:v3', 'ghcr.io/acme/web:v3'), [`${inFile}ghcr.io/acme/web:v2`]],
  [
    'a target that is only a digest',
    web('ghcr.io/acme/web:v3', null, { tag: null, digest: sha('c') }),
    [`${inFile}ghcr.io/acme/web@${sha('c')}`],
  ],
  [
    'a target whose tag moves',
    web('ghcr.io/acme/web:v3', null, { tag: 'stable', digest: sha('c') }),
    [`${inFile}ghcr.io/acme/web:stable@${sha('c')}`],
  ],
  [
    'a variable in the env file',
    web('ghcr.io/acme/web:v3', 'ghcr.io/acme/web:${TAG}'),
    ['Change the tag in /opt/shop/.env on the host too, or the next docker compose up undoes the rollback: TAG=v2'],
  ],
  [
    'a variable from elsewhere',
    { ...web('ghcr.io/acme/web:v3', 'ghcr.io/acme/web:${TAG:?}'), envNames: [] },
    ['Set TAG=v2 where your deployment sets it, or the next docker compose up undoes the rollback of web'],
  ],
  [
    'one variable with two values',
    {
      project: shop({
        web: { imageTemplate: 'ghcr.io/acme/web:$TAG' },
        api: { imageTemplate: 'ghcr.io/acme/api:$TAG' },
      }),
      wanted: wanted({
        web: { tag: 'v1', digest: sha('c'), imageId: null },
        api: { tag: 'v2', digest: sha('c'), imageId: null },
      }),
    },
    [
      'Change the tag in /opt/shop/.env on the host too, or the next docker compose up undoes the rollback: TAG=v2 for api; TAG=v1 for web',
      'TAG cannot have two values: give each service a variable of its own',
    ],
  ],
];
for (const [what, changes, told] of table) test(what, () => assert.deepEqual(lines(changes), told));
