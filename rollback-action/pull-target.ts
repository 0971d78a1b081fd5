import { Failure } from '../shared/failure.ts';
import type { HistoryRecord } from '../shared/history/record.ts';
import type { Connection } from '../shared/host/connection.ts';
import type { Plan } from '../shared/plan/plan.ts';
import { keptImages } from '../shared/releases/keep-images.ts';
import { type PulledImage, pullImages } from '../shared/releases/pull.ts';
import * as log from '../shared/runner/log.ts';
import type { RollbackInputs } from './inputs.ts';

/** By service to swap: its target image, now on the host. */
export type TargetImages = ReadonlyMap<string, PulledImage>;

/** Pulls every image of the target and checks that the host has it, before anything is stopped. */
export async function pullTarget(
  connection: Connection,
  plan: Plan,
  inputs: RollbackInputs,
  history: readonly HistoryRecord[],
  signal: AbortSignal,
): Promise<TargetImages> {
  return log.group('Images', async () => {
    const wanted = plan.services.map(({ service, pull, localImage }) => ({ service, name: pull ?? localImage ?? '' }));
    const pulls = plan.services.flatMap(({ pull }) => (pull === null ? [] : [pull]));
    const running = plan.services.flatMap(({ fromImage, localImage }) => [fromImage.imageId, localImage]);
    const releases = history.map(({ release }) => release);
    const { images, notKept } = await pullImages(connection, {
      registry: inputs.registry,
      login: pulls.length > 0 ? inputs.login : null,
      pulls: [...new Set(pulls)],
      images: [...new Set(wanted.map(({ name }) => name))],
      keep: keptImages(
        inputs.backupDir,
        running.filter((id) => id !== null),
        releases,
      ),
      timeout: inputs.timeout,
      signal,
      onLog: log.host,
      onPull: (reference) => log.progress(`Pulling ${reference}`),
    });
    for (const id of notKept) log.warning(`Could not protect the image ${id} from docker image prune`);
    const targets = new Map(
      wanted.map(({ service, name }) => {
        const image = images.get(name);
        if (image === undefined) throw notThere(name);
        return [service, image];
      }),
    );
    for (const [service, { id, platform }] of targets) log.info(`✔ ${service}: ${id} (${platform}) is on the host`);
    return targets;
  });
}

function notThere(name: string): Failure {
  return new Failure('image-missing', `The image ${name} is not on the host`, {
    hint: 'Nothing was stopped. Set "target" to a release that still exists',
  });
}
