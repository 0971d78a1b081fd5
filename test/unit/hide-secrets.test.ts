import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hideSecrets } from '../../shared/report/hide-secrets.ts';
import { compareSchemas } from '../../shared/report/schema-changes.ts';

/** As pg_dump writes them. */
const secrets: [text: string, shown: string][] = [
  [
    "OPTIONS (\n    password 'se''cret',\n    \"user\" 'app'\n);",
    "OPTIONS (\n    password '(hidden 1)',\n    \"user\" 'app'\n);",
  ],
  ["    password 'line one\nse''cret; line three',\n", "    password '(hidden 1)',\n"],
  ["    password '',\n    passfile '/home/secret',", "    password '(hidden 1)',\n    passfile '(hidden 2)',"],
  [
    "    sslkey '/secret',\n    sslpassword 'secret',\n    sslmode 'require'",
    "    sslkey '(hidden 1)',\n    sslpassword '(hidden 2)',\n    sslmode 'require'",
  ],
  [
    "    aws_secret_access_key 'secret',\n    \"api-key\" E'se\\\\cret'",
    "    aws_secret_access_key '(hidden 1)',\n    \"api-key\" '(hidden 2)'",
  ],
  ["CONNECTION 'host=db dbname=x password=''secret it''' PUBLICATION p", "CONNECTION '(hidden 1)' PUBLICATION p"],
  [
    "PERFORM dblink('host=db password=secret user=app', 'SELECT 1');",
    "PERFORM dblink('host=db password=(hidden 1) user=app', 'SELECT 1');",
  ],
  ["dblink('password=''sec ret'' user=app')", "dblink('password=(hidden 1) user=app')"],
  ["'postgresql://app:secret@db/app'", "'postgresql://app:(hidden 1)@db/app'"],
  // What functions, triggers, settings and columns hold.
  [
    "http_request('https://x', 'POST', '{\"Authorization\":\"Bearer secret.abc\"}', '{}', '1000')",
    "http_request('https://x', 'POST', '{\"Authorization\":\"(hidden 2)\"}', '{}', '1000')",
  ],
  ["build('Authorization', 'Bearer secret12')", "build('Authorization', '(hidden 2)')"],
  ["'X-Auth: Basic c2VjcmV0='", "'X-Auth: Basic (hidden 1)'"],
  ['SET "app.jwt_secret_" TO \'secret\';', 'SET "app.jwt_secret_" TO \'(hidden 1)\';'],
  [
    "password := 'secret'; f(password => 'secret'); pwd = 'x'",
    "password := '(hidden 1)'; f(password => '(hidden 1)'); pwd = '(hidden 2)'",
  ],
  ["api_key text DEFAULT 'secret'::text NOT NULL", "api_key text DEFAULT '(hidden 1)'::text NOT NULL"],
  ["token character varying(20) DEFAULT 'secret'", "token character varying(20) DEFAULT '(hidden 1)'"],
  ["ALTER COLUMN token SET DEFAULT 'secret'", "ALTER COLUMN token SET DEFAULT '(hidden 1)'"],
  ["dblink('host=db password = secret user=app')", "dblink('host=db password = (hidden 1) user=app')"],
  ["dblink('password = ''sec ret'' user=app')", "dblink('password = (hidden 1) user=app')"],
  ["('Driver=x;Password={sec ret};Port=1')", "('Driver=x;Password=(hidden 1);Port=1')"],
  ['\'{"password": "sec\\"ret", "port": 1}\'', '\'{"password": "(hidden 1)", "port": 1}\''],
  [
    "set('apikey', 'secret'); header('x-token','secret')",
    "set('apikey', '(hidden 1)'); header('x-token','(hidden 1)')",
  ],
  ["    pw 'secret',\n    sa_key 'secret'", "    pw '(hidden 1)',\n    sa_key '(hidden 1)'"],
  ["    sas 'secret', db_pwd 'secret'", "    sas '(hidden 1)', db_pwd '(hidden 1)'"],
  // Cut off.
  ["-    password 'secret that is very lo", "-    password '(hidden 1)'"],
  ['"token": "secret that is', '"token": "(hidden 1)"'],
];
for (const [text, shown] of secrets) {
  test(`hidden: ${JSON.stringify(text)}`, () => {
    const [hidden] = hideSecrets(text);
    assert.equal(hidden, shown);
    assert.doesNotMatch(hidden.replaceAll(/aws_secret_access_key|jwt_secret_/g, ''), /secret|sec.?ret|c2Vj/);
  });
}

test('what holds no secret stays as it is', () => {
  const text = `CREATE TABLE public.users (
    password text NOT NULL,
    CONSTRAINT passed CHECK ((state <> 'compass'::text))
);
COMMENT ON COLUMN public.users.password IS 'bcrypt';
SELECT password = crypt('x', password), token <> 'y', NEW.password = OLD.password, token = $1, upward 'x';
CREATE SERVER other FOREIGN DATA WRAPPER postgres_fdw OPTIONS (
    host 'db',
    port '5432'
);`;
  assert.deepEqual(hideSecrets(text), [text]);
});

test('a password that was changed is told as a change, and neither is shown', () => {
  const dump = (password: string) => `--
-- Name: USER MAPPING app SERVER other; Type: USER MAPPING; Schema: -; Owner: -
--

CREATE USER MAPPING FOR app SERVER other OPTIONS (
    password '${password}',
    "user" 'app'
);
`;
  assert.deepEqual(
    compareSchemas(dump('one'), dump('two')).flatMap(({ what, type, lines }) => [what, type, ...lines]),
    ['changed', 'USER MAPPING', "-     password '(hidden 1)',", "+     password '(hidden 2)',"],
  );
  assert.deepEqual(compareSchemas(dump('one'), dump('one')), []);
});
