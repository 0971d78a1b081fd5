import assert from 'node:assert/strict';
import { test } from 'node:test';
import { moves } from '../../../shared/releases/moving-tag.ts';

const moving = `latest stable edge nightly canary main master develop trunk next current release prod production staging
  release-candidate rc beta lts alpine bookworm-slim feature-login fix_the_cart prod.eu LATEST Main latest-amd64
  main-arm64 stable-linux-x86_64 latest-arm64-v8 arm64v8 pr-12 mr-7 pull-request-1234 PR12 my-branch renovate-node cafe facade`;

const staying = `v1 1 1.2.3 1.2 v2-rc.1 1.0.0-beta 20240315 2024-03-15 2024.03 240315 1a2b3c4 sha-1a2b3c4 main-1a2b3c4 build-1401
  r57 b12 v1.2.3-alpine3.19 latest-20240315 main-20240315-1a2b3c4 v10 2.0.0-SNAPSHOT 1.x v2-latest release-12 sprint-8
  deadbee sha-abcdefa feedfacecafebeef main-deadbeef v1-3-gdeadbee 0a1b2c3d4e5f60718293a4b5c6d7e8f901234567 node18 dev2
  01HV8Q9K3 run-123456789-1 1.2.3-amd64 v1-arm64 ${'a'.repeat(40)} ${'c0ffee'.repeat(10)}abcd hotfix-3 pr-12-1a2b3c4`;

for (const tag of moving.split(/\s+/)) test(`${tag} moves`, () => assert.equal(moves(tag), true));
for (const tag of staying.split(/\s+/)) test(`${tag} stays`, () => assert.equal(moves(tag), false));
