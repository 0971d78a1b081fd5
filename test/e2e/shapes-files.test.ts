// Which files make up the project: the ones that docker compose itself uses.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isBack, twoReleases, withShape } from './shapes.ts';
import { registryForFile } from './stage.ts';

const ground = await registryForFile();

describe('the files that make up the project', { concurrency: 3 }, () => {
  test('an override file beside the compose file stays in force', async () => {
    await withShape(ground, { name: 'override' }, async (shape) => {
      await shape.write({
        'docker-compose.yml': { services: { app: shape.app({ ports: [] }) } },
        'docker-compose.override.yml': {
          services: {
            app: { ports: [`127.0.0.1:${shape.port}:8080`], volumes: ['data:/data'], environment: { COLOUR: 'blue' } },
          },
          volumes: { data: null },
        },
      });
      await twoReleases(shape);
      await isBack(shape, await shape.rollBack());
      const [container] = await shape.inspect();
      assert.ok(container?.Config.Env.includes('COLOUR=blue'));
      assert.deepEqual(
        container?.Mounts.map(({ Destination }) => Destination),
        ['/data'],
      );
    });
  });
});
