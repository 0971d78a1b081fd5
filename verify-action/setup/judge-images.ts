import type { Findings, Problem } from '../../shared/drill/finding.ts';
import { lastGood } from '../../shared/history/choice.ts';
import { databaseServices } from '../../shared/releases/database-services.ts';
import { nameOf } from '../../shared/releases/image-name.ts';
import { referenceOf } from '../../shared/releases/image-reference.ts';
import { type RunningImage, releaseOf } from '../../shared/releases/release.ts';
import { storeServices } from '../../shared/releases/stores.ts';
import type { LocalImage } from '../../shared/survey/survey-compose.ts';
import { noSwapFacts } from '../../shared/survey/survey-swap.ts';
import type { VerifyInputs } from '../inputs.ts';
import type { SetupFacts } from './setup-facts.ts';

/** Checks the login, if one is given. */
export function judgeRegistry(findings: Findings, { registry }: SetupFacts, inputs: VerifyInputs): void {
  if (inputs.login === null) return;
  if (registry === null || 'error' in registry)
    findings.unable(
      'registry',
      `could not ask it from the host${registry === null ? ': Docker does not answer there' : `: ${registry.error}`}`,
      `On the host: curl -sI https://${inputs.registry}/v2/`,
    );
  else
    findings.check('registry', () =>
      registry.refusal === null
        ? `${inputs.registry} accepts the login of ${inputs.login?.user}`
        : {
            detail: `${inputs.registry} refuses the login: ${registry.refusal}`,
            remedy: 'Set "registry-password" to a token with packages: read; check that the host reaches the registry',
          },
    );
}

/** The last good release in the history, and those of its images that the host lacks. */
function lastGoodOf({ seen, knownHistory }: Pick<SetupFacts, 'seen' | 'knownHistory'>, inputs: VerifyInputs) {
  const stores = storeServices(seen.containers, seen.swapFacts ?? noSwapFacts);
  const ignored = new Set([...databaseServices(seen, inputs.databaseService), ...stores]);
  const running = releaseOf(seen.containers, seen.images);
  const choice = lastGood({ records: knownHistory.host, environment: inputs.environment, running, ignored });
  const images = seen.compose === null || 'error' in seen.compose ? [] : seen.compose.images;
  const wanted = Object.entries(choice.record?.release ?? {}).filter(([service]) => !ignored.has(service));
  return { choice, images, wanted, away: wanted.filter(([, image]) => !isHere(image, images)) };
}

/** The images of the last good release that are not on the host: by digest, or by tag if no digest is known. */
export function imagesToAskFor(facts: Pick<SetupFacts, 'seen' | 'knownHistory'>, inputs: VerifyInputs): string[] {
  return lastGoodOf(facts, inputs).away.flatMap(([, image]) => referenceTo(image) ?? []);
}

function referenceTo({ image, tag, digest }: RunningImage): string | null {
  const repository = referenceOf(image)?.repository;
  if (repository === undefined || (digest === null && tag === null)) return null;
  return digest === null ? `${repository}:${tag}` : `${repository}@${digest}`;
}

/** Checks that every image of the last good release is still available. */
export function judgeLastGood(facts: SetupFacts, inputs: VerifyInputs): string | Problem {
  const { choice, images, wanted, away } = lastGoodOf(facts, inputs);
  if (choice.record === null) {
    return {
      detail: `there is nothing to roll back to: ${choice.why}`,
      remedy: 'Until the next good deployment, a rollback must name a "target"',
    };
  }
  const name = wanted.map(([service, image]) => named(service, image, images)).join(', ');
  if (away.length === 0) return `${name}: every image is on the host`;
  const asked = facts.registry === null || 'error' in facts.registry ? null : facts.registry;
  const there = new Set(asked?.there ?? []);
  const lost = away.filter(([, image]) => !there.has(referenceTo(image) ?? ''));
  if (lost.length === 0) return `${name}: every image is on the host or in the registry`;
  const isOnlyHere = lost.every(([, image]) => referenceTo(image) === null);
  const unasked = facts.registry !== null && 'error' in facts.registry ? `: ${facts.registry.error}` : '';
  const answer = asked?.away[0]?.why ?? asked?.refusal ?? `could not ask the registry${unasked}`;
  const why = isOnlyHere ? 'the history names no registry for it' : answer;
  return {
    detail: `${lost.map(([service, image]) => named(service, image, images)).join(', ')} is not on the host and cannot be pulled: ${why}`,
    remedy: 'A rollback must name another "target". To keep images in future, do not run docker image prune --all',
  };
}

function named(service: string, { image, tag, digest, imageId }: RunningImage, images: readonly LocalImage[]): string {
  return `${service} ${nameOf({ image, tag, imageId }, null, images) ?? (digest ?? imageId ?? 'unknown').slice(0, 19)}`;
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
