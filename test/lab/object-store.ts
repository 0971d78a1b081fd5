// OpenStack Swift with its S3 interface: it checks signatures and names, as the stores do that users have.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { run, whereIs } from './command.ts';
import { folder } from './folder.ts';
import { needPackages } from './packages.ts';
import { freePorts, listening } from './port.ts';

export interface ObjectStore {
  /** `http://127.0.0.1:8080`. */
  endpoint: string;
  region: string;
  /** As a workflow has them for every tool of AWS's. */
  credentials: { AWS_ACCESS_KEY_ID: string; AWS_SECRET_ACCESS_KEY: string };
  createBucket(name: string): Promise<void>;
  /** What was asked of it, a line each: `PUT /bucket/name`. */
  requests(): string[];
  close(): Promise<void>;
}

/** Of Debian: the one that the package belongs to. */
const python = '/usr/bin/python3';
const region = 'us-east-1';
/** Where each kind of data lies: on the one server there is. */
const placeData = `
import sys
from swift.common.ring import RingBuilder
for kind, port in zip(sys.argv[2::2], map(int, sys.argv[3::2])):
    builder = RingBuilder(4, 1, 0)
    where = {'ip': '127.0.0.1', 'port': port, 'replication_ip': '127.0.0.1', 'replication_port': port}
    builder.add_dev({'region': 1, 'zone': 1, 'device': 'd1', 'weight': 1, **where})
    builder.rebalance()
    builder.get_ring().save(f'{sys.argv[1]}/{kind}.ring.gz')`;
/** Swift reads its own settings from /etc alone. */
const serve = `
import sys
from swift.common import constraints, utils
utils.SWIFT_CONF_FILE = constraints.SWIFT_CONF_FILE = sys.argv[3]
from swift.common.wsgi import run_wsgi
sys.exit(run_wsgi(sys.argv[1], sys.argv[2], verbose=True))`;

/** Starts it on loopback; it ends with this process at the latest. */
export async function startObjectStore(): Promise<ObjectStore> {
  await needPackages('python3-swift', 'memcached');
  const home = mkdtempSync(join(folder('object-stores'), 'store-'));
  const file = (...names: string[]) => join(home, ...names);
  mkdirSync(file('devices', 'd1'), { recursive: true });
  const secret = randomBytes(16).toString('hex');
  writeFileSync(file('swift.conf'), '[swift-hash]\nswift_hash_path_suffix = lab\nswift_hash_path_prefix = lab\n');

  const servers: ChildProcess[] = [];
  const start = async (name: string, port: number, command: readonly string[]) => {
    const log = openSync(file(`${name}.log`), 'a');
    const server = spawn('setpriv', ['--pdeathsig', 'KILL', ...command], { stdio: ['ignore', log, log] });
    closeSync(log);
    servers.push(server);
    await listening(
      port,
      () => server.exitCode !== null,
      () => readFileSync(file(`${name}.log`), 'utf8'),
    );
  };
  const startSwift = (kind: string, port: number, configuration: string) => {
    writeFileSync(file(`${kind}.conf`), configuration, { mode: 0o600 });
    return start(kind, port, [python, '-c', serve, file(`${kind}.conf`), `${kind}-server`, file('swift.conf')]);
  };

  const [cache = 0, account = 0, container = 0, object = 0, port = 0] = await freePorts(5);
  const kinds = Object.entries({ account, container, object }) as [string, number][];
  await run([python, '-c', placeData, home, ...kinds.flat().map(String)]);
  await Promise.all([
    start('memcached', cache, [
      whereIs('memcached') ?? 'memcached',
      '-u',
      userInfo().username,
      '-l',
      '127.0.0.1',
      '-p',
      String(cache),
    ]),
    ...kinds.map(([kind, at]) => startSwift(kind, at, storage(kind, at, home))),
    startSwift('proxy', port, proxy(port, home, secret, cache)),
  ]);

  const endpoint = `http://127.0.0.1:${port}`;
  const credentials = { AWS_ACCESS_KEY_ID: 'lab:admin', AWS_SECRET_ACCESS_KEY: secret };
  const client = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId: credentials.AWS_ACCESS_KEY_ID, secretAccessKey: secret },
  });
  return {
    endpoint,
    region,
    credentials,
    async createBucket(name) {
      await client.send(new CreateBucketCommand({ Bucket: name }));
    },
    requests: () =>
      Array.from(
        readFileSync(file('proxy.log'), 'utf8').matchAll(/ ((?:GET|HEAD|PUT|POST|DELETE) \S+) HTTP/g),
        ([, request = '']) => decodeURIComponent(request),
      ),
    async close() {
      client.destroy();
      for (const server of servers) {
        server.kill('SIGKILL');
        if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
      }
      rmSync(home, { recursive: true, force: true });
    },
  };
}

const common = (port: number, home: string) => `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
user = ${userInfo().username}
swift_dir = ${home}
workers = 0
`;

const storage = (kind: string, port: number, home: string) => `${common(port, home)}
devices = ${join(home, 'devices')}
mount_check = false
disable_fallocate = true
fallocate_reserve = 0
[pipeline:main]
pipeline = ${kind}-server
[app:${kind}-server]
use = egg:swift#${kind}
`;

const middlewares = [
  'catch_errors',
  'proxy-logging',
  'cache',
  'listing_formats',
  'bulk',
  's3api',
  'tempauth',
  'copy',
  'slo',
  'dlo',
];

const proxy = (port: number, home: string, secret: string, cache: number) => `${common(port, home)}
[pipeline:main]
pipeline = ${middlewares.join(' ')} proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:${cache}
[filter:tempauth]
use = egg:swift#tempauth
user_lab_admin = ${secret} .admin .reseller_admin
[filter:s3api]
use = egg:swift#s3api
location = ${region}
auth_pipeline_check = false
${middlewares
  .filter((name) => !['cache', 'tempauth', 's3api'].includes(name))
  .map((name) => `[filter:${name}]\nuse = egg:swift#${name.replace('-', '_')}\n`)
  .join('')}`;
