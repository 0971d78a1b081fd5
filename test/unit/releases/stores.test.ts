import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isStore, storeServices } from '../../../shared/releases/stores.ts';
import { noSwapFacts } from '../../../shared/survey/survey-swap.ts';
import { container, ending, sha } from './shop.ts';

const named: Record<'store' | 'none', readonly string[]> = {
  store: [
    'mysql:8.4',
    'mysql/mysql-server',
    'mariadb:11',
    'percona/percona-server:8.0',
    'percona/percona-server-mongodb',
    'mongo',
    'mongodb/mongodb-community-server:7.0',
    'bitnami/mongodb:7',
    'redis:7-alpine',
    'redis/redis-stack-server',
    'bitnami/redis-cluster',
    'valkey/valkey',
    'eqalpha/keydb',
    'rabbitmq:3-management',
    'docker.elastic.co/elasticsearch/elasticsearch:8.15.0',
    'opensearchproject/opensearch',
    'clickhouse/clickhouse-server',
    'clickhouse/clickhouse-keeper',
    'influxdb:2',
    'cassandra',
    'couchdb',
    'quay.io/minio/minio',
    'quay.io/coreos/etcd',
    'hashicorp/consul',
    'zookeeper',
    'confluentinc/cp-kafka',
    'confluentinc/cp-zookeeper',
    'apache/kafka-native',
    'nats:2-alpine',
    'neo4j:5-enterprise',
    'dragonflydb/dragonfly',
    'hashicorp/vault:1.17',
    'victoriametrics/victoria-metrics',
    'mcr.microsoft.com/mssql/server:2022-latest',
    'gvenzl/oracle-free',
    'postgis/postgis',
    'timescale/timescaledb-ha',
    'ghcr.io/acme/shop-mysql:v2',
    'ghcr.io/acme/shop-mysql-db:v2',
    'ghcr.io/acme/redis7',
    'ghcr.io/acme/mysql/server:v2',
    'localhost:5000/acme/shop_redis@sha256:'.concat('a'.repeat(64)),
  ],
  none: [
    'memcached:1.6',
    'nginx:1.27',
    'mongo-express',
    'rediscommander/redis-commander',
    'redis/redisinsight',
    'oliver006/redis_exporter',
    'prom/mysqld-exporter',
    'provectuslabs/kafka-ui',
    'confluentinc/cp-kafka-connect',
    'confluentinc/cp-schema-registry',
    'confluentinc/cp-kafka-rest',
    'phpmyadmin',
    'phpmyadmin/phpmyadmin',
    'dpage/pgadmin4',
    'minio/mc',
    'databack/mysql-backup',
    'edoburu/pgbouncer',
    'ghcr.io/acme/kafka-consumer',
    'ghcr.io/acme/worker-redis',
    'ghcr.io/acme/mysql-migrations',
    'ghcr.io/acme/app',
    'ghcr.io/acme/garage',
    'ghcr.io/acme/oracle',
    'ghcr.io/acme/vault',
    'ghcr.io/mysql/api',
    'ghcr.io/acme/api-server',
    'rabbitmqoperator/messaging-topology-operator',
  ],
};

describe('by its name', () => {
  for (const [what, images] of Object.entries(named)) {
    for (const image of images)
      test(`${image}: ${what}`, () => assert.equal(isStore([image], [], []), what === 'store'));
  }
});

const signs: [what: string, image: string, variables: string[], writes: string[], expected: boolean][] = [
  ['the official MySQL under another name', 'ghcr.io/acme/shop-data:v2', ['PATH', 'MYSQL_MAJOR'], [], true],
  ['the official MySQL under the name of the application', 'ghcr.io/acme/app-data:v2', ['MYSQL_MAJOR'], [], true],
  ['the official Redis under another name', 'ghcr.io/acme/cache:v2', ['REDIS_VERSION'], [], true],
  ['a volume where MySQL keeps its data', 'ghcr.io/acme/shop-data:v2', [], ['/var/lib/mysql'], true],
  ['a volume below that', 'ghcr.io/acme/broker:v2', [], ['/var/lib/rabbitmq/mnesia'], true],
  ['a folder that only begins like one', 'ghcr.io/acme/app:v2', [], ['/data/dbx', '/data'], false],
  ['a job that makes dumps with the programs of the official image', 'acme/mysql-backup', ['MYSQL_MAJOR'], [], false],
  ['an application with a volume', 'ghcr.io/acme/app:v2', ['NODE_VERSION'], ['/data'], false],
  ['an image that is only known by its id', sha('1'), ['RABBITMQ_VERSION'], [], true],
];
describe('by what it is made of', () => {
  for (const [what, image, variables, writes, expected] of signs) {
    test(what, () => assert.equal(isStore([image], variables, writes), expected));
  }
});

test('services are named by what any of their containers is', () => {
  const found = storeServices(
    [container('web'), container('cache', { imageId: sha('7') }), container('queue'), container('search')],
    {
      ...noSwapFacts,
      imageVariables: new Map([[sha('7'), ['VALKEY_VERSION']]]),
      endings: [ending('queue', { writes: ['/var/lib/rabbitmq'] })],
    },
    new Map([['search', 'elasticsearch:8.15.0']]),
  );
  assert.deepEqual([...found].toSorted(), ['cache', 'queue', 'search']);
});
