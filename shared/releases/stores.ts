import type { FoundContainer } from '../survey/survey.ts';
import type { SwapFacts } from '../survey/survey-swap.ts';
import { referenceOf } from './image-reference.ts';

/** What tells that an image is a store of data: names in its path, variables of its official image, its data folders. */
interface Store {
  names: readonly string[];
  variables?: readonly string[];
  folders?: readonly string[];
}

// Sources: the Dockerfiles of the official images. An older server may not open the data folder of a newer one.
const stores: readonly Store[] = [
  {
    names: ['postgres', 'postgresql', 'postgis', 'timescaledb', 'pgvector', 'citus'],
    variables: ['PG_MAJOR', 'PGDATA'],
    folders: ['/var/lib/postgresql', '/bitnami/postgresql'],
  },
  {
    names: ['mysql', 'mariadb', 'percona', 'singlestore'],
    variables: ['MYSQL_MAJOR', 'MYSQL_SHELL_VERSION', 'MARIADB_MAJOR', 'MARIADB_VERSION', 'PS_VERSION'],
    folders: ['/var/lib/mysql', '/bitnami/mysql', '/bitnami/mariadb'],
  },
  {
    names: ['mongo', 'mongodb', 'ferretdb'],
    variables: ['MONGO_MAJOR', 'MONGO_VERSION'],
    folders: ['/data/db', '/data/configdb', '/bitnami/mongodb'],
  },
  {
    names: ['redis', 'valkey', 'keydb', 'kvrocks'],
    variables: ['REDIS_VERSION', 'REDIS_DOWNLOAD_URL', 'VALKEY_VERSION', 'VALKEY_DOWNLOAD_URL'],
    folders: ['/var/lib/redis', '/var/lib/valkey', '/bitnami/redis', '/bitnami/valkey'],
  },
  {
    names: ['rabbitmq', 'activemq', 'mosquitto', 'emqx', 'nats', 'nsqd'],
    variables: ['RABBITMQ_VERSION', 'RABBITMQ_DATA_DIR', 'NATS_SERVER'],
    folders: ['/var/lib/rabbitmq', '/bitnami/rabbitmq'],
  },
  {
    names: ['kafka', 'zookeeper', 'redpanda'],
    variables: ['KAFKA_HOME', 'ZOO_DATA_DIR'],
    folders: ['/var/lib/kafka', '/var/lib/zookeeper', '/bitnami/kafka', '/bitnami/zookeeper'],
  },
  {
    names: ['elasticsearch', 'opensearch', 'solr', 'meilisearch', 'typesense', 'manticore', 'quickwit'],
    variables: ['OPENSEARCH_HOME', 'SOLR_USER'],
    folders: [
      '/usr/share/elasticsearch/data',
      '/usr/share/opensearch/data',
      '/bitnami/elasticsearch',
      '/var/solr',
      '/meili_data',
    ],
  },
  { names: ['qdrant', 'weaviate', 'milvus'], folders: ['/qdrant/storage'] },
  {
    names: ['clickhouse', 'influxdb', 'questdb', 'victoriametrics'],
    variables: ['INFLUXDB_VERSION', 'INFLUX_CONFIG_PATH', 'CLICKHOUSE_CONFIG'],
    folders: ['/var/lib/clickhouse', '/var/lib/influxdb', '/var/lib/influxdb2'],
  },
  {
    names: ['cassandra', 'scylla', 'couchdb', 'couchbase', 'cockroach', 'cockroachdb', 'yugabyte', 'tidb', 'tikv'],
    variables: ['CASSANDRA_VERSION', 'CASSANDRA_HOME', 'COUCHDB_VERSION'],
    folders: [
      '/var/lib/cassandra',
      '/var/lib/scylla',
      '/opt/couchdb/data',
      '/opt/couchbase/var',
      '/cockroach/cockroach-data',
    ],
  },
  {
    names: ['neo4j', 'arangodb', 'rethinkdb', 'surrealdb', 'memgraph', 'dgraph', 'orientdb', 'ravendb', 'aerospike'],
    variables: ['NEO4J_HOME', 'NEO4J_EDITION', 'ARANGO_VERSION', 'RETHINKDB_PACKAGE_VERSION'],
    folders: ['/var/lib/arangodb3', '/var/lib/neo4j'],
  },
  { names: ['minio', 'seaweedfs'], variables: ['MINIO_ROOT_USER_FILE'], folders: ['/bitnami/minio'] },
  {
    names: ['etcd', 'consul'],
    variables: ['ETCD_VERSION'],
    folders: ['/var/lib/etcd', '/etcd-data', '/bitnami/etcd', '/consul/data', '/vault/file'],
  },
  {
    names: ['mssql', 'db2', 'sqlserver'],
    variables: ['MSSQL_PID'],
    folders: ['/var/opt/mssql', '/opt/oracle/oradata'],
  },
];

/** Stores whose names are ordinary words: an application may have them as well, so that only these are meant. */
const inFull =
  /(^|\/)(apache\/activemq-artemis|apachepulsar\/pulsar|chromadb\/chroma|dragonflydb\/dragonfly|dxflrs\/garage|gvenzl\/oracle-(free|xe)|hashicorp\/vault|victoriametrics\/victoria-metrics)$/;

/** Words in a name that leave a store what it is: `redis-stack-server`, `shop-mysql-db`. */
const qualifiers = new Set(
  `server community enterprise oss stack cluster sentinel alpine debian ubuntu custom streaming keeper native standalone db
   database data primary replica master slave leader follower node broker distroless base ha ce ee se xe free management
   delayed xtradb latest local full bundle image docker service main prod production cp jetstream`.split(/\s+/),
);

/** Words in a name that make it something beside a store, which may well be built on its image: a job that makes dumps. */
const besides =
  /^(exporters?|express|commander|ui|gui|admin|phpmyadmin|adminer|insights?|backups?|dumps?|clients?|cli|tools?|operators?|metrics|monitor(ing)?|managers?|dashboards?|console|browser|viewer|proxy|router|gateway|bridge|connect(or)?|sync|migrat(e|ion|ions|or)|init|setup|seed(er|s)?|jobs?|cron|loader|imports?|exports?|rest|registry|schema|mirror|maker|pgbouncer|pgpool)$/;
/** Words in the name of an application that uses a store. */
const applications = /^(web|api|app|consumers?|producers?|workers?|agents?|sidecars?|test(s|er)?)$/;

/**
 * The services that keep data which an older version may not be able to read, apart from the databases that are backed up.
 * @param images of services in the compose file, by name: a container may have been created from an id
 */
export function storeServices(
  containers: readonly FoundContainer[],
  facts: SwapFacts,
  images: ReadonlyMap<string, string | null> = new Map(),
): Set<string> {
  const found = containers.filter((container) => {
    const names = [container.image, images.get(container.service) ?? ''];
    const writes = facts.endings.find(({ id }) => id === container.id)?.writes ?? [];
    return isStore(names, facts.imageVariables.get(container.imageId) ?? [], writes);
  });
  return new Set(found.map(({ service }) => service));
}

/**
 * Whether a container is a store, by what is known of it.
 * @param images names of its image
 * @param variables names of those that the image itself sets
 * @param writes the mounted folders in the container that it may write to
 */
export function isStore(images: readonly string[], variables: readonly string[], writes: readonly string[]): boolean {
  const paths = images.map((image) => referenceOf(image)?.path ?? '');
  const isOneOf = (sign: (store: Store) => boolean) => stores.some(sign);
  if (isOneOf(({ folders = [] }) => folders.some((folder) => writes.some((path) => isWithin(path, folder)))))
    return true;
  if (paths.some((path) => inFull.test(path))) return true;
  if (paths.some((path) => hasWord(path, besides))) return false;
  return (
    isOneOf(({ variables: signs = [] }) => signs.some((sign) => variables.includes(sign))) ||
    paths.some((path) => isNamedAsStore(path) && !hasWord(path, applications))
  );
}

const storeNames = new Set(stores.flatMap(({ names }) => names));

function hasWord(path: string, words: RegExp): boolean {
  return wordsOf(path.split('/').at(-1) ?? '').some((word) => words.test(word));
}

/** Its last word that says anything is the name of a store; of `mysql/server`, the folder says it. */
function isNamedAsStore(path: string): boolean {
  for (const part of path.split('/').toReversed()) {
    const words = wordsOf(part);
    const telling = words.findLast((word) => !qualifiers.has(word)) ?? words.find((word) => storeNames.has(word));
    if (telling !== undefined) return storeNames.has(telling);
  }
  return false;
}

/** `redis7` and `percona-server-8.0` are called by what they are, without the version. */
function wordsOf(part: string): string[] {
  return part
    .toLowerCase()
    .split(/[-_.]+/)
    .map((word) => (storeNames.has(word) ? word : word.replace(/v?\d+$/, '')))
    .filter((word) => word !== '');
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}
