-- What databases of the public have in them, in one. The schema `good` restores whole; `lost` loses something in every restore.
-- Where the server has pg_cron and the lab's own extension, what comes with those is in it as well.
CREATE SCHEMA good;
CREATE SCHEMA lost;
CREATE SCHEMA "a.b";
CREATE SCHEMA a;

-- PostgreSQL writes these conditions in another way once they were restored.
CREATE TABLE good.accounts (
  id serial PRIMARY KEY, type varchar(255) NOT NULL CHECK (type IN ('user', 'admin')), email text UNIQUE, state varchar(20)
);
CREATE INDEX ON good.accounts (email) WHERE state IN ('new', 'paid');
INSERT INTO good.accounts (type, email, state)
  SELECT (ARRAY['user', 'admin'])[1 + n % 2], 'mail' || n || '@shop.example', (ARRAY['new', 'paid', 'gone'])[1 + n % 3]
  FROM generate_series(1, 300) n;

-- Names that are the same with a dot between them.
CREATE TABLE "a.b".c AS SELECT 1 AS one;
CREATE TABLE a."b.c" AS SELECT n FROM generate_series(1, 2) n;
CREATE TABLE good."O'Brien ""&"" \ Söhne" AS SELECT 'it''s' AS "we""ird \ col";

-- Numbers of an enum's values decide the partition, and are others in another server.
CREATE TYPE good.mood AS ENUM ('sad', 'ok', 'happy', 'elated');
CREATE TABLE good.moods (mood good.mood, n int) PARTITION BY HASH (mood);
CREATE TABLE good.moods0 PARTITION OF good.moods FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE good.moods1 (n int, mood good.mood);
ALTER TABLE good.moods ATTACH PARTITION good.moods1 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO good.moods SELECT (enum_range(NULL::good.mood))[1 + n % 4], n FROM generate_series(1, 800) n;

-- Values whose text depends on the settings of a session, and large ones.
CREATE TABLE good.values (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(), f float8, r real, n numeric, m money, at timestamptz, span interval, bytes bytea,
  body jsonb, doc xml, bits bit varying, ip inet, range tstzrange, words tsvector, list text[], pair good.accounts, kind regclass
);
INSERT INTO good.values
  SELECT gen_random_uuid(), random(), random(), random()::numeric(20, 15), n * 1.01, '2024-02-29 12:00+02'::timestamptz + n * interval '1 s',
    make_interval(months => n, secs => n * 0.1), decode(repeat('c0ffee', n * 1000), 'hex'), jsonb_build_object('n', n, 'a', repeat('x', n * 700)),
    xmlparse(CONTENT '<a>' || n || '</a>'), n::bit(12), ('10.0.0.' || n)::inet, tstzrange('2024-01-01', '2024-02-01'), to_tsvector('simple', 'one two'),
    ARRAY['a,b', NULL, 'c"d'], (SELECT a FROM good.accounts a WHERE a.id = n), 'good.accounts'
  FROM generate_series(1, 60) n;
-- A restore takes line breaks away.
INSERT INTO good.values (doc) VALUES (E'<?xml version="1.0" encoding="UTF-8"?>\n\n<root/>');
-- Also inside of other types.
CREATE DOMAIN good.page AS xml;
CREATE TYPE good.paper AS (n int, doc good.page);
CREATE TABLE good.pages (page good.page, pages xml[], paper good.paper, papers good.paper[]);
INSERT INTO good.pages SELECT doc, ARRAY[doc], ROW(1, doc)::good.paper, ARRAY[ROW(1, doc)::good.paper]
  FROM good.values WHERE doc::text LIKE '%root%';
CREATE SUBSCRIPTION elsewhere CONNECTION 'host=replica password=hunter2' PUBLICATION p WITH (connect = false, slot_name = NONE);
GRANT EXECUTE ON FUNCTION pg_catalog.pg_stat_reset() TO PUBLIC;
CREATE TABLE good.no_columns ();
INSERT INTO good.no_columns DEFAULT VALUES;
CREATE TABLE good.computed (n int, twice int GENERATED ALWAYS AS (n * 2) STORED);
INSERT INTO good.computed SELECT n FROM generate_series(1, 50) n;

-- More than is hashed whole: with a key of one column, of two, and without any.
CREATE TABLE good.large (id bigint PRIMARY KEY, t text);
INSERT INTO good.large SELECT n, repeat(md5(n::text), 12) FROM generate_series(1, 60000) n;
CREATE TABLE good.large_pairs (a text, b int, t text, PRIMARY KEY (a, b));
INSERT INTO good.large_pairs SELECT 'a' || n % 9, n, repeat(md5(n::text), 14) FROM generate_series(1, 60000) n;
CREATE TABLE good.large_heap (t text, n int, at timestamptz);
INSERT INTO good.large_heap SELECT repeat(md5(n::text), 16), n, 'epoch'::timestamptz + n * interval '1 h' FROM generate_series(1, 60000) n;
-- Rows that have moved about.
UPDATE good.large_heap SET n = n + 1 WHERE n % 3 = 0;

CREATE SEQUENCE good.cycling MAXVALUE 3 CYCLE;
SELECT nextval('good.cycling') FROM generate_series(1, 5);
CREATE SEQUENCE good.down INCREMENT -1;
SELECT nextval('good.down');

-- Rows that refer to each other.
CREATE TABLE good.nodes (id int PRIMARY KEY, parent int REFERENCES good.nodes);
INSERT INTO good.nodes VALUES (1, 1), (2, 1);

-- Types whose text may come back as another one: at their limits, by settings, by the order of what is in them.
CREATE EXTENSION citext SCHEMA good;
CREATE EXTENSION ltree SCHEMA good;
CREATE COLLATION good.caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
ALTER TYPE good.mood ADD VALUE 'calm' BEFORE 'ok';
CREATE DOMAIN good.percent AS numeric CHECK (VALUE BETWEEN 0 AND 100);
CREATE TYPE good.shrunk AS (a int, gone text, b text);
ALTER TYPE good.shrunk DROP ATTRIBUTE gone;
CREATE TYPE good.stretch AS RANGE (subtype = float8);
CREATE FUNCTION good.twice(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 * 2';
CREATE TABLE good.edges (
  n numeric, f float8, r real, d date, t timestamp, z timestamptz, o oid, c regclass, p regproc, q regprocedure, y regtype,
  w regrole, l pg_lsn, x xid, j json, jb jsonb, path jsonpath, tq tsquery, moods good.mood[], pct good.percent, shrunk good.shrunk[],
  stretch good.stretch, spans int4multirange, low int[], ci good.citext, tree good.ltree, nd text COLLATE good.caseless, ch char(5),
  small "char", box box, poly polygon, mac macaddr8, fixed bit(3), cfg regconfig, gone int, acl aclitem
);
ALTER TABLE good.edges DROP COLUMN gone;
INSERT INTO good.edges VALUES
  ('NaN', '-0', 'NaN', '4713-01-01 BC', '-infinity', '0044-03-15 12:00+00 BC', 16384, 'good.accounts', 'good.twice',
    'good.twice(int)', 'good.mood', 'pg_monitor', 'FF/1', '7', '{"a": 1, "a" : 2}', '{"a": 1.10, "a": 2.00}', '$.a[*] ? (@ > 1)',
    'a & !b:*', '{calm,elated}', 100, ARRAY[ROW(1, 'x,"y"')]::good.shrunk[], '[-1.5,infinity)', '{[1,3),[7,9)}', '[0:1]={5,6}',
    'Mixed', 'a.b.c', 'CaSe', 'ab', 'x', '(1,2),(0.1,-0)', '((0,0),(1,1e-300),(1,0))', '08:00:2b:01:02:03:04:05', '101', 'english',
    '=r/pg_monitor'),
  ('1.10', 'infinity', 1e-40, 'infinity', 'infinity', '294276-12-31 00:00+00', 4294967295, 'pg_class', 'pg_catalog.version',
    'pg_catalog.now()', 'int[]', '-', '0/0', '4294967295', ' null ', 'null', 'lax $', '''it''''s'' <-> b', '{}', 0.000, '{}', 'empty',
    '{}', '{}', '', '', '', '', '', '(0,0),(0,0)', '((0,0))', '00:00:00:00:00:00:00:00', '000', 'pg_catalog.simple', NULL);
CREATE TABLE good.caseless_keys (k text COLLATE good.caseless PRIMARY KEY);
INSERT INTO good.caseless_keys VALUES ('a'), ('B');
-- Tables of other kinds, and partitions with other columns in another order.
CREATE UNLOGGED TABLE good.unlogged AS SELECT 1 AS n;
CREATE TABLE good.parent (a int, b text);
CREATE TABLE good.child (c int) INHERITS (good.parent);
INSERT INTO good.parent VALUES (1, 'parent');
INSERT INTO good.child VALUES (2, 'child', 3);
ALTER TABLE good.parent ADD CONSTRAINT positive CHECK (a > 1) NOT VALID;
CREATE TABLE good.secret (owner name, n int, at int4range, EXCLUDE USING gist (at WITH &&) DEFERRABLE);
ALTER TABLE good.secret ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON good.secret USING (owner = current_user);
INSERT INTO good.secret VALUES ('nobody', 1, '[1,2)');
CREATE RULE never AS ON INSERT TO good.secret DO INSTEAD NOTHING;
CREATE STATISTICS good.together (dependencies) ON owner, n FROM good.secret;
-- A restore leaves the one empty, as it was; the other two depend on each other.
CREATE MATERIALIZED VIEW good.empty_view AS SELECT 1 AS n WITH NO DATA;
CREATE MATERIALIZED VIEW good.second AS SELECT count(*) AS n FROM good.accounts;
CREATE MATERIALIZED VIEW good.first AS SELECT n FROM good.second;
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER nowhere FOREIGN DATA WRAPPER nowhere;
CREATE FOREIGN TABLE good.far (n int) SERVER nowhere;
CREATE PUBLICATION parents FOR TABLE good.parent;
CREATE FUNCTION good.caught() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;
CREATE EVENT TRIGGER caught ON ddl_command_end EXECUTE FUNCTION good.caught();
CREATE TEXT SEARCH CONFIGURATION good.plain (COPY = simple);
CREATE FUNCTION good.to_shrunk(int) RETURNS good.shrunk LANGUAGE sql AS 'SELECT ROW($1, NULL::text)::good.shrunk';
CREATE CAST (int AS good.shrunk) WITH FUNCTION good.to_shrunk(int) AS ASSIGNMENT;
ALTER DEFAULT PRIVILEGES IN SCHEMA good GRANT SELECT ON TABLES TO PUBLIC;
SELECT lo_from_bytea(0, 'large');
COMMENT ON TABLE good.edges IS E'line\nbreak ''quote'' \\';
CREATE SEQUENCE good.cached CACHE 20;
SELECT nextval('good.cached');
CREATE SEQUENCE good.unused;
SELECT setval('good.unused', 5, false);
CREATE TABLE good.identified (id int GENERATED ALWAYS AS IDENTITY (START 100 INCREMENT -5 MINVALUE -1000 MAXVALUE 100), v text);
INSERT INTO good.identified (v) VALUES ('a'), ('b');

-- Partitions sorted in several ways, within partitions; one that is elsewhere, one that is not logged, one for what is left.
CREATE COLLATION good.german (provider = icu, locale = 'de');
CREATE TABLE good.people (name text COLLATE good.german, country text COLLATE "C", nick text COLLATE good.caseless, n int)
  PARTITION BY LIST (country);
CREATE TABLE good.people_de PARTITION OF good.people FOR VALUES IN ('de', 'at') PARTITION BY RANGE (name);
CREATE TABLE good.people_de_a (n int, nick text COLLATE good.caseless, country text COLLATE "C", name text COLLATE good.german);
ALTER TABLE good.people_de ATTACH PARTITION good.people_de_a FOR VALUES FROM (MINVALUE) TO ('m');
CREATE TABLE good.people_de_z PARTITION OF good.people_de DEFAULT;
CREATE UNLOGGED TABLE good.people_log PARTITION OF good.people FOR VALUES IN ('log');
CREATE FOREIGN TABLE good.people_far PARTITION OF good.people FOR VALUES IN ('far') SERVER nowhere;
CREATE TABLE good.people_other PARTITION OF good.people DEFAULT;
INSERT INTO good.people
  SELECT chr(97 + n % 26) || 'ö' || n, (ARRAY['de', 'at', 'fr', 'log'])[1 + n % 4], 'Nick' || n, n FROM generate_series(1, 400) n;
CREATE INDEX ON good.people (name COLLATE "C", nick);

-- Domains over arrays, composites and each other; columns that are computed, of partitions too.
CREATE FUNCTION good.norm(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS 'SELECT lower(btrim($1))';
CREATE DOMAIN good.tags AS text[] CHECK (array_length(VALUE, 1) <= 3);
CREATE DOMAIN good.email AS text COLLATE "C" CHECK (VALUE ~ '@');
CREATE DOMAIN good.emails AS good.email[] NOT NULL DEFAULT '{}';
CREATE TYPE good.address AS (street text, zip char(5), mail good.email);
CREATE DOMAIN good.home AS good.address CHECK ((VALUE).zip IS NOT NULL);
CREATE TABLE good.members (
  id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, raw text, norm text GENERATED ALWAYS AS (good.norm(raw)) STORED, tags good.tags,
  mails good.emails, home good.home, homes good.home[], words tsvector GENERATED ALWAYS AS (to_tsvector('good.plain', raw)) STORED
);
INSERT INTO good.members (raw, tags, mails, home, homes)
  SELECT ' Ab' || n, ARRAY['a', NULL, 'c"d'], ARRAY['x@y']::good.emails, ROW('st', '12345', 'a@b')::good.home,
    ARRAY[ROW('st', '1', 'a@b')::good.home] FROM generate_series(1, 30) n;
CREATE TABLE good.doubled (a int, b int GENERATED ALWAYS AS (a * 2) STORED) PARTITION BY RANGE (a);
CREATE TABLE good.doubled1 PARTITION OF good.doubled FOR VALUES FROM (0) TO (10);
INSERT INTO good.doubled (a) SELECT generate_series(0, 9);
CREATE STATISTICS good.likely (mcv, ndistinct) ON lower(raw), tags FROM good.members;

-- Rows that refer to each other across tables, to partitions, and to nothing.
CREATE TABLE good.parts (id int, k int, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
CREATE TABLE good.parts1 PARTITION OF good.parts FOR VALUES IN (1);
CREATE TABLE good.uses (id int, k int, FOREIGN KEY (id, k) REFERENCES good.parts DEFERRABLE INITIALLY DEFERRED);
INSERT INTO good.parts VALUES (1, 1);
INSERT INTO good.uses VALUES (1, 1);
CREATE TABLE good.hens (id int PRIMARY KEY, egg int);
CREATE TABLE good.eggs (id int PRIMARY KEY, hen int REFERENCES good.hens);
ALTER TABLE good.hens ADD FOREIGN KEY (egg) REFERENCES good.eggs;
INSERT INTO good.hens VALUES (1);
INSERT INTO good.eggs VALUES (1, 1);
UPDATE good.hens SET egg = 1;
CREATE TABLE good.orphans (id int);
INSERT INTO good.orphans VALUES (99);
ALTER TABLE good.orphans ADD FOREIGN KEY (id) REFERENCES good.hens NOT VALID;
CREATE TABLE good.heir (x int) INHERITS (good.parent, good.orphans);
INSERT INTO good.heir (a, x) VALUES (2, 3);
CREATE TYPE good.kind AS (a int, b text);
CREATE TABLE good.of_kind OF good.kind (a WITH OPTIONS PRIMARY KEY);
INSERT INTO good.of_kind VALUES (1, 'x');

CREATE ROLE tenant;
-- Triggers that would refuse every row, if a restore fired them, and others that are off.
CREATE FUNCTION good.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no %', NEW; END $$;
CREATE TABLE good.guarded AS SELECT 1 AS n;
CREATE TRIGGER always BEFORE INSERT ON good.guarded FOR EACH ROW EXECUTE FUNCTION good.refuse();
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON good.guarded DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION good.refuse();
ALTER TABLE good.guarded ENABLE ALWAYS TRIGGER always, DISABLE TRIGGER late;
ALTER TABLE good.secret FORCE ROW LEVEL SECURITY;
CREATE POLICY narrow ON good.secret AS RESTRICTIVE FOR SELECT TO tenant USING (n > 0);
ALTER DEFAULT PRIVILEGES FOR ROLE tenant GRANT SELECT ON TABLES TO PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO tenant;

-- What somebody has added to SQL.
CREATE AGGREGATE good.joined (text) (SFUNC = textcat, STYPE = text, INITCOND = '');
CREATE OPERATOR good.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq, COMMUTATOR = OPERATOR(good.===));
CREATE OPERATOR CLASS good.patterned FOR TYPE text USING btree AS OPERATOR 1 ~<~, OPERATOR 2 ~<=~, OPERATOR 3 =, OPERATOR 4 ~>=~,
  OPERATOR 5 ~>~, FUNCTION 1 bttext_pattern_cmp(text, text);
CREATE INDEX ON good.people (nick COLLATE "C" good.patterned);
CREATE TYPE good.word;
CREATE FUNCTION good.word_in(cstring) RETURNS good.word LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION good.word_out(good.word) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE good.word (INPUT = good.word_in, OUTPUT = good.word_out, LIKE = text);
CREATE CAST (good.word AS text) WITHOUT FUNCTION;
CREATE TABLE good.spoken (one good.word, many good.word[]);
INSERT INTO good.spoken VALUES ('a', '{b,c}');
CREATE ACCESS METHOD heap_too TYPE TABLE HANDLER heap_tableam_handler;
CREATE TABLE good.elsewhere (a int) USING heap_too;
INSERT INTO good.elsewhere VALUES (1);
CREATE CONVERSION good.old FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE PUBLICATION everything FOR ALL TABLES;
CREATE PUBLICATION of_columns FOR TABLE good.members (id, raw) WHERE (id > 3);
CREATE PUBLICATION of_schema FOR TABLES IN SCHEMA good;
CREATE FUNCTION good.atomic(x int) RETURNS bigint BEGIN ATOMIC; SELECT count(*) + x FROM good.members; END;
CREATE VIEW good.grouped AS SELECT id, raw, count(*) FROM good.members GROUP BY id;
CREATE TABLE good.defaults (a bigint DEFAULT good.atomic(1), b smallserial, c bigint DEFAULT nextval('good.cached'));
INSERT INTO good.defaults DEFAULT VALUES;
CREATE SEQUENCE good.small AS smallint START 3 OWNED BY good.defaults.a;
SELECT nextval('good.small');
-- A large object with an owner, rights and a comment of its own.
SELECT lo_from_bytea(70001, 'abc');
ALTER LARGE OBJECT 70001 OWNER TO tenant;
GRANT SELECT ON LARGE OBJECT 70001 TO PUBLIC;
COMMENT ON LARGE OBJECT 70001 IS 'it''s';

-- Names that look like SQL, and values at their limits.
CREATE TABLE good."%s %I %L %1$s" ("n" int, hash int, counted text, "ROW" int PRIMARY KEY, facts int, "table" text, "%s %I" int);
INSERT INTO good."%s %I %L %1$s" SELECT n, n, 'c', n, 1, 't', n FROM generate_series(1, 5) n;
CREATE TABLE good."new
line" ("col
umn" int);
INSERT INTO good."new
line" VALUES (1);
CREATE TABLE good.limits (
  a time, b timetz, c interval, d macaddr, e cidr, f line, g lseg, h path, i circle, j point, k xid8, l cid, m tid, n int2vector,
  o oidvector, p pg_snapshot, q name, r numeric, s float4, t varbit, u json, v "char", w bpchar, x numrange[], y datemultirange,
  z timestamptz[]
);
INSERT INTO good.limits VALUES ('24:00:00', '24:00:00-15:59', '-1 year +3 mons -2 days 04:05:06.789', '08:00:2b:01:02:03', '10/8',
  '{1,-1,0.3}', '[(1,2),(0.1,1e-300)]', '[(1,2),(3,4)]', '<(0,0),1e300>', '(nan,-inf)', '18446744073709551615', '7', '(1,2)', '1 2 3',
  '1 2 3', '10:20:10,14', repeat('x', 63), 'infinity', '1.1754944e-38', '1', E'{"a":"\\u0000", "b" : [1.0,  2]}', E'\\200', 'a  ',
  '{"[1.0,2.00)",empty}', '{[2024-01-01,2024-02-01)}', '{"2024-01-01 00:00:00.123456+05:45"}');
INSERT INTO good.limits (q, w, r) VALUES (E'tab\t\\.', E'\\.\n\r\\N', -0.000);
DO $$ BEGIN EXECUTE (SELECT 'CREATE TABLE good.wide (' || string_agg('c' || n || ' text DEFAULT ''x''', ', ') || ')'
  FROM generate_series(1, 1200) n); END $$;
INSERT INTO good.wide DEFAULT VALUES;

-- A column that is computed from another table: a restore fills this one first, and finds that one empty.
CREATE TABLE lost.zones (k int);
INSERT INTO lost.zones SELECT generate_series(1, 10);
CREATE FUNCTION lost.zones_below(n int) RETURNS bigint LANGUAGE plpgsql IMMUTABLE
  AS $$ BEGIN RETURN (SELECT count(*) FROM lost.zones WHERE k <= n); END $$;
CREATE TABLE lost.addresses (n int, zone bigint GENERATED ALWAYS AS (lost.zones_below(n)) STORED);
INSERT INTO lost.addresses SELECT generate_series(1, 10);

-- The same in a table that is too large to be hashed whole, and has nothing to choose a sample by at first sight.
CREATE TABLE lost.parcels (active boolean, body text, code int, zone bigint GENERATED ALWAYS AS (lost.zones_below(code)) STORED);
INSERT INTO lost.parcels SELECT true, repeat(md5(n::text), 24), n % 7 + 1 FROM generate_series(1, 60000) n;

-- A view that has its rows from one that was emptied since: a restore can fill neither.
CREATE MATERIALIZED VIEW lost.emptied_view AS SELECT k FROM lost.zones;
CREATE MATERIALIZED VIEW lost.stale_view AS SELECT count(*) AS n FROM lost.emptied_view;
REFRESH MATERIALIZED VIEW lost.emptied_view WITH NO DATA;

-- A queue that belongs to an extension, and with it the sequence of its column.
CREATE EXTENSION hstore SCHEMA lost;
CREATE TABLE lost.q_mail (msg uuid PRIMARY KEY, body text, number int GENERATED ALWAYS AS IDENTITY (INCREMENT -2));
INSERT INTO lost.q_mail VALUES (gen_random_uuid(), 'a letter');
ALTER EXTENSION hstore ADD TABLE lost.q_mail;
-- A function that belongs to it as well, and that it does not make.
CREATE FUNCTION lost.by_hand(int) RETURNS int LANGUAGE sql AS 'SELECT $1';
ALTER EXTENSION hstore ADD FUNCTION lost.by_hand(int);

-- What somebody has put into the schemas that PostgreSQL has of its own.
CREATE TABLE information_schema.notes AS SELECT 'a note' AS note;
CREATE FUNCTION pg_catalog.everywhere(int) RETURNS int LANGUAGE sql AS 'SELECT $1';

SELECT count(*) = 2 AS is_extended FROM pg_available_extensions WHERE name IN ('pg_cron', 'lab_config')
\gset
\if :is_extended
-- It can live in one database of the server alone, and only where the server loads it at its start. Its jobs must not run in a copy.
CREATE EXTENSION pg_cron;
CREATE TABLE good.runs (at timestamptz);
SELECT cron.schedule('each minute', '* * * * *', 'INSERT INTO good.runs VALUES (now())');
SELECT cron.alter_job(jobid, active := false) FROM cron.job;

-- One value that needs several times its size of memory.
CREATE TABLE good.files AS SELECT decode(repeat('0123456789abcdef', 5 << 20), 'hex') AS body;

-- What the user has set is in a dump; the extension's own row is made again; a sequence that it does not name is not dumped.
CREATE SCHEMA lab_config;
CREATE EXTENSION lab_config;
INSERT INTO lab_config.settings VALUES ('theme', 'dark');
SELECT setval('lab_config.dumped', 7), setval('lab_config.undumped', 9);

-- The text of this one is printed in another way where backslashes escape, and everything is quoted.
CREATE TABLE good.paths (key bytea DEFAULT E'\\001', path text DEFAULT E'C:\\temp', "order" int);
INSERT INTO good.paths DEFAULT VALUES;
CREATE INDEX ON good.paths (path) TABLESPACE elsewhere;

-- By settings of the server, on which a function depends that says it does not: what is computed, what may be, and where a row goes.
CREATE FUNCTION good.day(timestamptz) RETURNS date LANGUAGE sql IMMUTABLE AS 'SELECT $1::date';
CREATE FUNCTION good.words(text) RETURNS tsvector LANGUAGE sql IMMUTABLE AS 'SELECT to_tsvector($1)';
CREATE FUNCTION good.date(text) RETURNS date LANGUAGE sql IMMUTABLE AS 'SELECT $1::date';
CREATE TABLE good.evenings (
  at timestamptz CHECK (at::date < '2024-01-01'), day date GENERATED ALWAYS AS (good.day(at)) STORED,
  note text, words tsvector GENERATED ALWAYS AS (good.words(note)) STORED,
  written text, read date GENERATED ALWAYS AS (good.date(written)) STORED
) PARTITION BY RANGE (good.day(at));
CREATE TABLE good.evenings_2023 PARTITION OF good.evenings FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
INSERT INTO good.evenings (at, note, written) VALUES ('2024-01-01 00:30+00', 'laufende Hunde', '31/12/2023');

-- By rules of its own, of which the primary key of another order would be corrupt.
CREATE TABLE good.words (word text PRIMARY KEY);
INSERT INTO good.words SELECT unnest(ARRAY['x', 'W', 'v', 'w', 'V', 'v1']);
\endif

-- Last, as what is made later may get these numbers here.
-- What an audit trail has of tables that are gone: their numbers, which are those of other things in another server.
CREATE TABLE good.trail (id serial PRIMARY KEY, entity regclass, entities regclass[], who regrole, note text);
INSERT INTO good.trail (entity, entities, note)
  SELECT n::oid::regclass, ARRAY[n::oid::regclass], 'gone' FROM generate_series(16384, 20000) n
  WHERE NOT EXISTS (SELECT FROM pg_class WHERE oid = n::oid);
INSERT INTO good.trail (entity, who) VALUES ('good.accounts', 'pg_monitor');
