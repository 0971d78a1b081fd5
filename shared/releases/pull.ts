import { cleanLine } from '../clean.ts';
import { Failure, isFailure } from '../failure.ts';
import type { Connection } from '../host/connection.ts';
import type { Program } from '../host/program.ts';
import type { RegistryLogin } from './ask-registry.ts';
import { isImageId } from './release.ts';

export interface PullRequest {
  registry: string;
  /** null: the images are public, or the host is logged in. */
  login: RegistryLogin | null;
  /** References to pull: `repository@digest`, or `repository:tag` if no digest is known. */
  pulls: readonly string[];
  /** References or ids of all images needed. */
  images: readonly string[];
  /** Ids to protect from `docker image prune`. */
  kept: readonly string[];
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

const program: Program<{
  registry: string;
  user: string;
  password: string;
  pulls: readonly string[];
  images: readonly string[];
  kept: readonly string[];
}> = {
  name: 'pull',
  step: 'the image pull',
  scripts: [
    new URL('../host/open-parent.sh', import.meta.url),
    new URL('./login.sh', import.meta.url),
    new URL('./pull.sh', import.meta.url),
  ],
};

/**
 * Pulls the missing images and checks every image. Touches nothing that is running.
 * @throws Failure `image-missing`, `registry-refused`, `registry-unreachable`, `disk-full`, `pull-failed`
 */
export async function pullImages(connection: Connection, request: PullRequest): Promise<Pulled> {
  const { registry, login, pulls, images, kept } = request;
  const parameters = { registry, user: login?.user ?? '', password: login?.password ?? '', pulls, images, kept };
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
function explain(failure: Failure, registry: string): Failure {
  if (failure.code !== 'pull-failed' && failure.code !== 'login-failed') return failure;
  const said = failure.message;
  const what =
    failure.code === 'pull-failed' ? cleanLine(said.slice(0, said.indexOf(' ')), 300) : `the login at ${registry}`;
  const cause = said;
  if (/no space left/i.test(said)) {
    return new Failure('disk-full', `The host's disk is full: could not pull ${what}`, {
      hint: 'Nothing was stopped. On the host: docker system df, then docker image prune. Then run it again',
      cause,
    });
  }
  if (/unauthorized|denied|forbidden|no basic auth|401|403/i.test(said)) {
    return new Failure('registry-refused', `The registry ${registry} refuses ${what}`, {
      hint: 'Nothing was stopped. Set "registry-username" and "registry-password". For ghcr.io, use a token with packages: read from a repository that may read the package',
      cause,
    });
  }
  if (/manifest unknown|not found|no such manifest|name unknown/i.test(said)) {
    return new Failure('image-missing', `${what} is neither in the registry nor on the host`, {
      hint: otherTarget,
      cause,
    });
  }
  if (
    /connection refused|no such host|timeout|timed out|dial tcp|network is unreachable|EOF|TLS handshake/i.test(said)
  ) {
    return new Failure('registry-unreachable', `The host cannot reach the registry ${registry} for ${what}`, {
      hint: `Nothing was stopped. On the host: curl -sI https://${registry}/v2/. Once it answers, run it again`,
      cause,
    });
  }
  return new Failure('pull-failed', `Could not pull ${what}`, {
    hint: 'Nothing was stopped. See the cause',
    cause,
  });
}
