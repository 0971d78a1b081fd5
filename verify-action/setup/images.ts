import { lastGood } from '../../shared/history/choice.ts';
import type { LocalImage } from '../../shared/host/survey.ts';
import { databaseServices } from '../../shared/releases/database-services.ts';
import { nameOf } from '../../shared/releases/image-name.ts';
import { referenceOf } from '../../shared/releases/image-reference.ts';
import { type RunningImage, releaseOf } from '../../shared/releases/release.ts';
import type { Findings, Problem } from '../finding.ts';
import type { VerifyInputs } from '../inputs.ts';
import type { SetupFacts } from './setup-facts.ts';

/** Only where a login is given: else nobody asks for one. */
export function judgeRegistry(findings: Findings, { registry }: SetupFacts, inputs: VerifyInputs): void {
  if (inputs.login === null) return;
  if (registry === null)
    findings.unable(
      'registry',
      'it could not be asked from the host',
      `On the host: curl -sI https://${inputs.registry}/v2/`,
    );
  else
    findings.check('registry', () =>
      registry.refusal === null
        ? `${inputs.registry} takes the login of ${inputs.login?.user}`
        : {
            detail: `${inputs.registry} refuses the login: ${registry.refusal}`,
            remedy:
              'Give a token with packages: read as "registry-password"; see whether the host reaches the registry',
          },
    );
}

/** What the history says to go back to. */
function lastGoodOf({ seen, knownHistory }: Pick<SetupFacts, 'seen' | 'knownHistory'>, inputs: VerifyInputs) {
  const ignored = databaseServices(seen, inputs.databaseService);
  const running = releaseOf(seen.containers, seen.images);
  const choice = lastGood({ records: knownHistory.host, environment: inputs.environment, running, ignored });
  const images = seen.compose === null || 'error' in seen.compose ? [] : seen.compose.images;
  const wanted = Object.entries(choice.record?.release ?? {}).filter(([service]) => !ignored.has(service));
  return { choice, images, wanted, away: wanted.filter(([, image]) => !isHere(image, images)) };
}

/** The images of the last good release that are not on the host: by digest, else by tag. */
export function imagesToAskFor(facts: Pick<SetupFacts, 'seen' | 'knownHistory'>, inputs: VerifyInputs): string[] {
  return lastGoodOf(facts, inputs).away.flatMap(([, image]) => referenceTo(image) ?? []);
}

function referenceTo({ image, tag, digest }: RunningImage): string | null {
  const repository = referenceOf(image)?.repository;
  if (repository === undefined || (digest === null && tag === null)) return null;
  return digest === null ? `${repository}:${tag}` : `${repository}@${digest}`;
}

/** Whether every image of the last good release can be had. */
export function judgeLastGood(facts: SetupFacts, inputs: VerifyInputs): string | Problem {
  const { choice, images, wanted, away } = lastGoodOf(facts, inputs);
  if (choice.record === null) {
    return {
      detail: `there is nothing to roll back to: ${choice.why}`,
      remedy: 'After the next good deployment there will be. Until then a rollback must name a "target"',
    };
  }
  const name = wanted.map(([service, image]) => named(service, image, images)).join(', ');
  if (away.length === 0) return `${name}: every image is on the host`;
  const there = new Set(facts.registry?.there ?? []);
  const lost = away.filter(([, image]) => !there.has(referenceTo(image) ?? ''));
  if (lost.length === 0) return `${name}: what is not on the host, the registry has`;
  const isOnlyHere = lost.every(([, image]) => referenceTo(image) === null);
  const answer = facts.registry?.away[0]?.why ?? facts.registry?.refusal ?? 'the registry could not be asked';
  const why = isOnlyHere ? 'it was only on this host' : answer;
  return {
    detail: `${lost.map(([service, image]) => named(service, image, images)).join(', ')} is not on the host, and not to be had: ${why}`,
    remedy: 'A rollback must name another "target". To keep images, do not run docker image prune --all',
  };
}

function named(service: string, { image, tag, digest, imageId }: RunningImage, images: readonly LocalImage[]): string {
  return `${service} ${nameOf(imageId, image, images) ?? tag ?? (digest ?? imageId ?? 'unknown').slice(0, 19)}`;
}

function isHere({ image, digest, imageId }: RunningImage, images: readonly LocalImage[]): boolean {
  const repository = referenceOf(image)?.repository;
  return images.some(
    ({ id, repoDigests }) =>
      (imageId !== null && id === imageId) ||
      (digest !== null &&
        repoDigests.map(referenceOf).some((name) => name?.digest === digest && name.repository === repository)),
  );
}
