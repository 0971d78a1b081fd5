import { cleanLine } from '../clean.ts';
import { parseImageReference } from '../releases/image-reference.ts';
import { moves } from '../releases/moving-tag.ts';
import type { ComposeService } from '../releases/project.ts';
import { quoteForShell } from '../shell-quote.ts';
import type { ServiceStep } from './plan.ts';

/**
 * The reference in the compose file if it may be pointed at the target on this host: it has a tag that moves, and no
 * digest. A version stays what it is: else a later deployment of it would start something else, and nobody would see it.
 */
export function movableReference(image: string | null): string | null {
  if (image === null) return null;
  const { digest, tag } = parseImageReference(image);
  return digest === null && tag !== null && moves(tag) ? image : null;
}

/** The variable that is the whole tag in the compose file; null if there is none. */
export function tagVariable({ imageTemplate }: Pick<ComposeService, 'imageTemplate'>): string | null {
  const [, braced, bare] = /:\$(?:\{([A-Za-z_]\w*)[^}]*\}|([A-Za-z_]\w*))$/.exec(imageTemplate ?? '') ?? [];
  return braced ?? bare ?? null;
}

/** Where the project's files are, on the host. */
export interface ProjectFiles {
  /** The compose files and the env files that compose reads, absolute. */
  files: readonly string[];
  envFiles: readonly string[];
}

/** What to change so that compose itself starts the target: printed lines. Without it, the next `up` undoes the rollback. */
export function linesToChange(steps: readonly ServiceStep[], { files, envFiles }: ProjectFiles): string[] {
  return [
    ...inRegistry(steps),
    ...inEnvFile(steps, quoteForShell(envFiles.at(-1) ?? '.env')),
    ...steps
      .filter(({ envLine, retag }) => envLine === null && retag === null)
      .map((step) => {
        if (step.variable !== null && step.toImage.tag !== null) {
          const line = quoteForShell(`${step.variable}=${step.toImage.tag}`);
          return `Set ${line} where your deployment sets it, or the next docker compose up undoes the rollback of ${step.service}`;
        }
        const file = files.map(quoteForShell).join(' or ');
        return `In ${file} on the host, service ${step.service}, write this, or the next docker compose up undoes the rollback: image: ${imageToWrite(step)}`;
      }),
  ].map((line) => cleanLine(line, 1_000));
}

/** A tag was pointed at the target on this host alone. */
function inRegistry(steps: readonly ServiceStep[]): string[] {
  const names = [...new Set(steps.flatMap(({ retag }) => retag ?? []))];
  if (names.length === 0) return [];
  const name = names.length === 1 ? 'that name' : 'those names';
  return [
    `On this host, ${names.join(' and ')} now ${names.length === 1 ? 'means' : 'mean'} the target. The registry was not changed: until a fixed release is pushed under ${name}, the next docker compose pull brings the bad one back`,
  ];
}

function inEnvFile(steps: readonly ServiceStep[], file: string): string[] {
  const values = new Map<string, Map<string, string[]>>();
  for (const { service, envLine } of steps) {
    if (envLine === null) continue;
    const ofVariable = values.get(envLine.variable) ?? new Map<string, string[]>();
    ofVariable.set(envLine.value, [...(ofVariable.get(envLine.value) ?? []), service]);
    values.set(envLine.variable, ofVariable);
  }
  if (values.size === 0) return [];
  const lines = [...values].flatMap(([variable, ofVariable]) =>
    [...ofVariable].map(([value, services]) => {
      const line = quoteForShell(`${variable}=${value}`);
      return ofVariable.size === 1 ? line : `${line} for ${services.join(', ')}`;
    }),
  );
  const divided = [...values].filter(([, ofVariable]) => ofVariable.size > 1).map(([variable]) => variable);
  return [
    `Change the tag in ${file} on the host too, or the next docker compose up undoes the rollback: ${lines.join('; ')}`,
    ...(divided.length === 0
      ? []
      : [`${divided.join(', ')} cannot have two values: give each service a variable of its own`]),
  ];
}

/** A tag that does not move, as people write it; anything else with what is certain of it. */
function imageToWrite({ toImage, fromImage }: ServiceStep): string {
  const { image, tag, digest, imageId } = toImage;
  const wasPinned = fromImage.image?.includes('@') === true;
  if (tag !== null && digest !== null && moves(tag) === false && !wasPinned) return image?.split('@')[0] ?? '';
  if (digest === null && tag === null) return imageId ?? '';
  return image ?? '';
}
