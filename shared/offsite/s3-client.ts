import type { S3Client } from '@aws-sdk/client-s3';
import { Failure } from '../failure.ts';
import type { BucketPlace } from './bucket-place.ts';
import { Retries } from './retries.ts';

export interface ClientSettings {
  /** How often to try a request that failed for a reason that may pass. */
  attempts: number;
  /** Milliseconds without a byte in either direction, until a request counts as failed; by default for as long as it takes. */
  silence?: number;
}

/** The runner's variables that name a proxy. */
const proxyVariables = ['https_proxy', 'HTTPS_PROXY', 'http_proxy', 'HTTP_PROXY'];

/** The variables from which AWS's library takes an address, past every check of the input: it need not even be https. */
const endpointVariables = ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'];

/** A client with AWS's standard chain for the login, which goes through the proxy of the runner if there is one. */
export async function makeClient(place: BucketPlace, { attempts, silence = 0 }: ClientSettings): Promise<S3Client> {
  const [{ S3Client }, http, https] = await Promise.all([
    import('@aws-sdk/client-s3'),
    import('node:http'),
    import('node:https'),
  ]);
  demandProxyCapableNode();
  const { endpoint } = place;
  if (endpoint === null) demandNoHiddenEndpoint();
  // AWS's library ignores these variables; the agents of Node obey them, NO_PROXY among them, if they are handed in.
  const connections = { keepAlive: true, maxSockets: 50, proxyEnv: process.env };
  return new S3Client({
    ...(endpoint === null ? {} : { endpoint: endpoint.href, forcePathStyle: true }),
    // A profile of the runner may name an address as well, which nobody has checked.
    ignoreConfiguredEndpointUrls: true,
    ...regionOf(place),
    maxAttempts: attempts,
    retryStrategy: new Retries(attempts),
    // Not every store knows these headers; where one is wanted, the request has it.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: 10_000,
      socketTimeout: silence,
      httpAgent: new http.Agent(connections),
      httpsAgent: new https.Agent(connections),
    },
  });
}

/** On AWS, the library finds the one that is not given. A private store has none, but the signature needs one. */
function regionOf({ region, endpoint }: BucketPlace): { region?: string } {
  if (region !== null) return { region };
  return endpoint === null ? {} : { region: process.env['AWS_REGION'] || 'us-east-1' };
}

/** Node learned of proxies in 24.5; before that, the copy would silently go past the proxy, or hang. */
function demandProxyCapableNode(): void {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 24 || (major === 24 && minor >= 5)) return;
  const given = proxyVariables.find((name) => (process.env[name] ?? '') !== '');
  if (given === undefined) return;
  throw new Failure('bucket-unusable', `Node ${process.versions.node} cannot use the proxy that ${given} names`, {
    hint: 'Update the runner, so that it has Node 24.5 or newer',
  });
}

function demandNoHiddenEndpoint(): void {
  const given = endpointVariables.find((name) => (process.env[name] ?? '') !== '');
  if (given === undefined) return;
  throw new Failure('bucket-unusable', `${given} is set, but "s3-endpoint" was not given`, {
    hint: `Give the address as "s3-endpoint", and remove ${given} from the job`,
  });
}
