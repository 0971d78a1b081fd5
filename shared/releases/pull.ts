import { cleanLine } from '../clean.ts';
import { Failure, isFailure } from '../failure.ts';
import type { FailureCode } from '../failure-codes.ts';
import type { Connection } from '../host/connection.ts';
import type { Program } from '../host/program.ts';
import type { RegistryLogin } from './ask-registry.ts';
import { referenceOf } from './image-reference.ts';
import type { KeptImages } from './keep-images.ts';
import { registryWord } from './registry-words.ts';
import { isImageId } from './release.ts';

export interface PullRequest {
  registry: string;
  /** null: the images are public, or the host is logged in. */
  login: RegistryLogin | null;
  /** References to pull: `repository@digest`, or `repository:tag` if no digest is known. */
  pulls: readonly string[];
  /** References or ids of all images needed. */
  images: readonly string[];
  /** To protect from `docker image prune`, besides the images needed. */
  keep: KeptImages;
  /** Milliseconds for everything together. */
  timeout: number;
  signal: AbortSignal;
  onLog: (line: string) => void;
  onPull: (reference: string) => void;
}

/** An image that the host has now. */
export interface PulledImage {
  id: string;
  /** `linux/amd64` */
  platform: string;
  repoDigests: string[];
}

export interface Pulled {
  /** By the requested reference or id. */
  images: Map<string, PulledImage>;
  /** Ids that could not be given the name that protects them. */
  notKept: string[];
}

export const program: Program<{
  registry: string;
  user: string;
  password: string;
  pulls: readonly string[];
  images: readonly string[];
  keeper: string;
  kept: readonly string[];
  released: readonly string[];
}> = {
  name: 'pull',
  step: 'the image pull',
  scripts: [
    new URL('../host/open-parent.sh', import.meta.url),
    new URL('./login.sh', import.meta.url),
    new URL('./keep.sh', import.meta.url),
    new URL('./pull.sh', import.meta.url),
  ],
};

/**
 * Pulls the missing images and checks every image. Touches nothing that is running.
 * @throws Failure `image-missing`, `registry-refused`, `registry-busy`, `registry-unreachable`, `disk-full`, `pull-failed`
 */
export async function pullImages(connection: Connection, request: PullRequest): Promise<Pulled> {
  const { registry, login, pulls, images, keep } = request;
  const account = { registry, user: login?.user ?? '', password: login?.password ?? '' };
  const parameters = { ...account, pulls, images, ...keep };
  const run = connection.run(program, parameters, {
    deadline: request.timeout,
    atEnd: 'end',
    signal: request.signal,
    onLog: request.onLog,
    onProgress: (_, reference) => request.onPull(reference),
  });
  try {
    const records = await run.result;
    return { images: new Map(records.all('image').map(readImage)), notKept: records.all('not-kept') };
  } catch (error) {
    throw isFailure(error) ? explain(error, registry) : error;
  }
}

function readImage(value: string): [string, PulledImage] {
  const [reference = '', id = '', platform = '', ...repoDigests] = value.trim().split(' ');
  if (!isImageId(id)) {
    throw new Failure('image-missing', `The image ${cleanLine(reference, 300)} is not on the host`, {
      hint: otherTarget,
    });
  }
  return [reference, { id, platform, repoDigests }];
}

const otherTarget = 'Nothing was stopped. Set "target" to a release that still exists';

/** Translates Docker's message into one of our failures. Docker's own words become the cause. */
function explain(error: Failure, registry: string): Failure {
  if (error.code !== 'pull-failed' && error.code !== 'login-failed') return error;
  const said = error.message;
  const isLogin = error.code === 'login-failed';
  const reference = isLogin ? registry : said.slice(0, said.indexOf(' '));
  const what = isLogin ? `the login at ${registry}` : cleanLine(reference, 300);
  const at = referenceOf(reference)?.registry ?? registry;
  const failure = (code: FailureCode, message: string, hint: string) =>
    new Failure(code, message, { hint: `Nothing was stopped. ${hint}`, cause: said });
  switch (registryWord(said, isLogin ? [registry] : [reference, registry])) {
    case 'full':
      return failure(
        'disk-full',
        `The host's disk is full: could not pull ${what}`,
        'On the host: docker system df, then docker image prune. Then run it again',
      );
    case 'refused':
      return failure(
        'registry-refused',
        `The registry ${at} refuses ${what}`,
        'Set "registry-username" and "registry-password". For ghcr.io, use a token with packages: read from a repository that may read the package',
      );
    case 'busy':
      return failure(
        'registry-busy',
        `The registry ${at} asks to wait: too many requests came from this host or with this login`,
        'Wait, then run it again: an hour is enough for most registries, six for Docker Hub. With a login, registries allow more',
      );
    case 'missing':
      if (isLogin) break;
      return new Failure('image-missing', `${what} is neither in the registry nor on the host`, {
        hint: otherTarget,
        cause: said,
      });
    case 'wrong-platform':
      return failure(
        'pull-failed',
        `${what} is in the registry, but not for the processor of the host`,
        'Build it for that platform too, or set "target" to another release',
      );
    case 'broken':
      return failure(
        'registry-unreachable',
        `The registry ${at} has an error of its own, and gave no answer for ${what}`,
        'Run it again later',
      );
    case 'unreachable':
      return failure(
        'registry-unreachable',
        isLogin ? `The host cannot reach the registry ${at}` : `The host cannot reach the registry ${at} for ${what}`,
        `On the host: curl -sI https://${at}/v2/. Once it answers, run it again`,
      );
    case 'helper':
      return failure(
        'pull-failed',
        `Could not pull ${what}: the helper that keeps the logins of this user on the host failed`,
        'Set "registry-username" and "registry-password", or correct "credsStore" in ~/.docker/config.json on the host',
      );
    case 'docker':
      return failure(
        'docker-refuses',
        `Docker on the host refuses to work for this user: could not pull ${what}`,
        "Docker's message is in the log of this step, below the error",
      );
  }
  return failure(
    'pull-failed',
    isLogin ? `The login at ${registry} failed` : `Could not pull ${what}`,
    "Docker's message is in the log of this step, below the error",
  );
}
