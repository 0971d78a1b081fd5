-- Counts the rows of ordinary tables and leaf partitions, and hashes what is in them. A table that belongs to an extension is
-- counted as pg_dump takes it: the rows that the extension names, or, if it names none, all of them, although none is dumped. If it
-- names rows by a condition, `unnamed` are the others, which a restore does not bring. Nothing is dumped of a table that somebody has
-- put into a schema of PostgreSQL's own.
--
-- Variables: `snapshot` to import, or empty to count in the transaction that is open; `row_counts`: exact, estimate, off, or
-- `scratch` on a server that nobody else uses; `chosen`: what to hash, as `[{"schema", "name", "oneIn"}]`, or empty to choose.
--
-- When the server plans a statement, it evaluates constant expressions in the indexes and statistics of the tables. These may
-- call functions of other roles, with the rights of this session. So tables for which anybody but a superuser or this role
-- could define such functions are counted with COPY, which needs no planning; it prints `copied {table}`, then `COPY rows`.
-- The same goes for tables with any function that is not compiled: nobody knows what it calls. If this role may not use COPY,
-- these tables are not counted; they are never hashed. For rows that an extension names by a condition, pg_dump plans a
-- statement, too. Rows that are not dumped are not counted if this role may not read them.
--
-- The hash of a row is that of its values as text, in the order of the columns' names; only type output functions are called.
-- Small tables are hashed whole, until a budget is spent; of the others one row in so many: by the hash of the primary key, or of
-- what is cheap to read of every column; and all generated columns. Long values are hashed by themselves first: as part of a row
-- they would need several times their size in memory. Of XML, white space at the begin is left out: a restore takes some of it away;
-- and of what has XML in it (domains, arrays, composites), all white space, and the quotation marks around values that have some.
-- A regclass and the like stands for a number, and its text is the name of what has that number, if anything has. What was dropped
-- has left its number, which may be that of something else in another server. So of these, only whether they are null.
\set QUIET off
SELECT :'snapshot' <> '' AS imports, current_setting('server_version_num')::int >= 120000 AS generates
\gset
\if :imports
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET TRANSACTION SNAPSHOT :'snapshot';
\endif
\if :generates
\set generated attgenerated
\else
\set generated '''''::text'
\endif
WITH RECURSIVE trusted AS (SELECT oid FROM pg_roles WHERE rolsuper OR rolname = session_user),
open_to_others AS (
  SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace JOIN pg_database ON datname = current_database()
    WHERE relkind IN ('r', 'p') AND NOT (relowner IN (SELECT oid FROM trusted) AND
      CASE pg_get_userbyid(nspowner) WHEN 'pg_database_owner' THEN datdba ELSE nspowner END IN (SELECT oid FROM trusted))
  UNION
  SELECT coalesce(indrelid, stxrelid) FROM pg_depend d
    LEFT JOIN pg_index ON classid = 'pg_class'::regclass AND indexrelid = objid
    LEFT JOIN pg_statistic_ext s ON classid = 'pg_statistic_ext'::regclass AND s.oid = objid
    LEFT JOIN pg_operator o ON refclassid = 'pg_operator'::regclass AND o.oid = refobjid
    JOIN pg_proc f ON f.oid = CASE refclassid WHEN 'pg_proc'::regclass THEN refobjid ELSE oprcode END
    WHERE refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass) AND (
      proowner NOT IN (SELECT oid FROM trusted) OR prolang NOT IN (SELECT oid FROM pg_language WHERE lanname IN ('internal', 'c')))
  UNION
  SELECT inhrelid FROM pg_inherits JOIN open_to_others ON oid = inhparent
), members AS (
  SELECT objid, extname, objid = ANY (extconfig) AS is_named, extcondition[array_position(extconfig, objid)] AS condition
  FROM pg_depend JOIN pg_extension e ON e.oid = refobjid
  WHERE classid = 'pg_class'::regclass AND objsubid = 0 AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
), roots AS (
  SELECT inhrelid AS leaf, inhparent AS root FROM pg_inherits JOIN pg_class p ON p.oid = inhparent AND relkind = 'p'
  UNION
  SELECT leaf, inhparent FROM roots JOIN pg_inherits ON inhrelid = root JOIN pg_class p ON p.oid = inhparent AND relkind = 'p'
), tables AS (
  SELECT c.oid, nspname, relname, reltuples, extname, is_dumped, coalesce(condition, '') AS condition,
    coalesce(top.root, c.oid) AS root, pg_relation_size(c.oid) AS heap, pg_relation_size(nullif(reltoastrelid, 0)) AS toast,
    CASE
      WHEN :'row_counts' = 'scratch' THEN 'plan'
      WHEN :'row_counts' <> 'exact' THEN :'row_counts'
      WHEN NOT is_dumped AND NOT (has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')
        AND NOT row_security_active(c.oid)) THEN NULL
      WHEN condition <> '' OR c.oid NOT IN (SELECT oid FROM open_to_others WHERE oid IS NOT NULL) THEN 'plan'
      WHEN current_setting('is_superuser') = 'on' THEN 'copy' END AS counted_by
  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace LEFT JOIN members ON objid = c.oid
    LEFT JOIN roots top ON leaf = c.oid AND NOT EXISTS (SELECT FROM roots higher WHERE higher.leaf = top.root),
    LATERAL (SELECT nspname IN ('pg_catalog', 'information_schema') AS is_astray) placed,
    LATERAL (SELECT coalesce(is_named, extname IS NULL AND NOT is_astray) AS is_dumped) dumped
  WHERE relkind = 'r' AND relpersistence <> 't' AND (NOT is_astray OR c.oid >= 16384) AND nspname !~ '^pg_(toast|temp)'
), trees AS (
  SELECT root, sum(bytes) AS bytes, sum(sum(bytes)) OVER (ORDER BY sum(bytes), root) AS so_far, sum(sum(bytes)) OVER () AS whole
  FROM (SELECT root, heap + coalesce(toast, 0) AS bytes FROM tables WHERE counted_by = 'plan') sized GROUP BY root
), budget AS (
  SELECT max(whole) / 50 + 33554432 AS bytes, sum(trees.bytes) FILTER (WHERE so_far > whole / 50 + 33554432) AS others FROM trees
), chosen AS (
  SELECT root, CASE WHEN so_far <= budget.bytes THEN 1 ELSE 2 ^ ceil(log(2, greatest(2, others / budget.bytes))) END::bigint AS one_in
  FROM trees CROSS JOIN budget WHERE :'chosen' = ''
), asked AS (
  SELECT "schema", "name", "oneIn" FROM jsonb_to_recordset(nullif(:'chosen', '')::jsonb) AS asked ("schema" text, "name" text, "oneIn" bigint)
), parts AS (
  SELECT unnest(ARRAY[typbasetype, typelem]) AS part, oid AS whole FROM pg_type WHERE typbasetype <> 0 OR typelem <> 0
  UNION ALL
  SELECT atttypid, reltype FROM pg_attribute JOIN pg_class c ON c.oid = attrelid WHERE reltype <> 0 AND attnum > 0 AND NOT attisdropped
), with_xml AS (
  SELECT whole AS kind FROM parts WHERE part = 'xml'::regtype UNION SELECT whole FROM parts JOIN with_xml ON part = kind
), with_number AS (
  SELECT oid AS kind FROM pg_type WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype = 'b' AND typname LIKE 'reg%'
  UNION SELECT whole FROM parts JOIN with_number ON part = kind
), columns AS (
  SELECT attrelid, string_agg(CASE
      WHEN atttypid IN (SELECT kind FROM with_number) THEN format('%I IS NULL', attname)
      WHEN atttypid = 'bytea'::regtype THEN format('CASE WHEN octet_length(%1$I) > 65536 THEN sha256(%1$I) ELSE %1$I END', attname)
      WHEN atttypid IN ('text'::regtype, 'varchar'::regtype)
        THEN format('CASE WHEN octet_length(%1$I) > 65536 THEN hashtextextended(%1$I COLLATE "C", 0)::text ELSE %1$I END', attname)
      WHEN atttypid = 'jsonb'::regtype THEN format('jsonb_hash_extended(%I, 0)', attname)
      WHEN atttypid = 'json'::regtype THEN format('hashtextextended(textin(json_out(%I)), 0)', attname)
      WHEN atttypid = 'xml'::regtype
        THEN format('hashtextextended(regexp_replace(textin(xml_out(%I)), ''^(<[?]xml[^>]*>)?[[:space:]]+'', ''\1''), 0)', attname)
      WHEN atttypid IN (SELECT kind FROM with_xml)
        THEN format('hashtextextended(regexp_replace(textin(record_out(ROW(%I))), ''[[:space:]"\\]+'', '''', ''g''), 0)', attname)
      ELSE format('%I', attname) END, ', ' ORDER BY attname) AS row,
    string_agg(format('%I', attname), ', ' ORDER BY attname) FILTER (WHERE :generated = 's' AND atttypid NOT IN (SELECT kind FROM with_number)) AS computed,
    string_agg(CASE WHEN atttypid IN ('bytea'::regtype, 'text'::regtype, 'varchar'::regtype) THEN format('octet_length(%I)', attname)
      ELSE format('pg_column_size(%I)', attname) END, ', ') FILTER (WHERE attlen = -1) AS lengths,
    string_agg(CASE WHEN atttypid IN ('text'::regtype, 'varchar'::regtype, 'bpchar'::regtype)
        THEN format('octet_length(%1$I), substr(%1$I, 1, 24)', attname)
      WHEN atttypid = 'bytea'::regtype THEN format('octet_length(%1$I), substr(%1$I, 1, 24)', attname)
      WHEN atttypid = 'jsonb'::regtype THEN format('jsonb_hash_extended(%I, 0)', attname)
      WHEN atttypid IN (SELECT kind FROM with_number) THEN NULL
      WHEN attlen > 0 OR atttypid = 'numeric'::regtype THEN format('%I', attname) END, ', ' ORDER BY attname)
      -- A row can have no more than 1,664 values.
      FILTER (WHERE place <= 500) AS glimpse,
    count(*) FILTER (WHERE :generated = 's') > 0 AS generates
  FROM (SELECT *, row_number() OVER (PARTITION BY attrelid ORDER BY attname) AS place FROM pg_attribute
      WHERE attnum > 0 AND NOT attisdropped) attributes
    JOIN tables ON attrelid = oid WHERE :generated <> 'v' GROUP BY attrelid
), keys AS (
  SELECT DISTINCT ON (indrelid) indrelid, (SELECT string_agg(format('%I', attname), ', ' ORDER BY attname) FROM pg_attribute
      WHERE attrelid = indrelid AND attnum = ANY (indkey::int2[])) AS key,
    CASE WHEN indnatts = 1 THEN (SELECT CASE atttypid WHEN 'int8'::regtype THEN 'hashint8extended(%s, 0)'
      WHEN 'int4'::regtype THEN 'hashint4extended(%s, 0)' WHEN 'uuid'::regtype THEN 'uuid_hash_extended(%s, 0)' END
      FROM pg_attribute WHERE attrelid = indrelid AND attnum = indkey[0]) END AS function
  FROM pg_index WHERE indisprimary AND indrelid IN (SELECT oid FROM tables) AND NOT EXISTS (SELECT FROM pg_attribute
    WHERE attrelid = indrelid AND attnum = ANY (indkey::int2[]) AND atttypid IN (SELECT kind FROM with_number)) ORDER BY indrelid
), statements AS (
  SELECT nspname, relname, reltuples, counted_by, condition, coalesce(one_in, "oneIn") AS one_in,
    jsonb_build_object('schema', nspname, 'name', relname, 'root', CASE WHEN t.root <> t.oid THEN (SELECT jsonb_build_object(
        'schema', p.relnamespace::regnamespace::name, 'name', p.relname) FROM pg_class p WHERE p.oid = t.root) END,
      'extension', extname, 'isDumped', is_dumped, 'generates', coalesce(generates, false)) AS facts,
    format('hashtextextended(textin(record_out(ROW(%s))), 0)', row) AS hash,
    CASE WHEN computed IS NULL THEN 'NULL::numeric' ELSE format('sum(hashtextextended(textin(record_out(ROW(%s))), 0))', computed) END AS computed,
    CASE WHEN toast >= 16777216 AND lengths IS NOT NULL THEN format('max(greatest(%s))', lengths) ELSE 'NULL' END AS largest,
    format(coalesce(function, 'hashtextextended(textin(record_out(ROW(%s))), 0)'), coalesce(key, glimpse, row)) AS sample,
    count(*) OVER (ORDER BY nspname, relname, t.oid) AS number
  FROM tables t LEFT JOIN columns ON attrelid = t.oid LEFT JOIN keys ON indrelid = t.oid
    LEFT JOIN chosen ON chosen.root = t.root AND counted_by = 'plan' LEFT JOIN asked ON "schema" = nspname AND "name" = relname
)
SELECT
  CASE WHEN :'imports' AND number % 20 = 0 THEN 'COMMIT' END,
  CASE WHEN :'imports' AND number % 20 = 0 THEN 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY' END,
  CASE WHEN :'imports' AND number % 20 = 0 THEN format('SET TRANSACTION SNAPSHOT %L', :'snapshot') END,
  CASE counted_by
    WHEN 'plan' THEN format('SELECT ''table '' || (%L::jsonb || jsonb_build_object(''rows'', n, ''exact'', true, ''content'', %s, ''unnamed'', %s, ''largestValue'', largest))::text FROM ('
        'SELECT count(*) AS n, %s AS hash, %s AS hashed, %s AS computed, %s AS largest FROM %s) counted', facts,
      CASE WHEN one_in IS NULL THEN 'NULL' ELSE format('jsonb_build_object(''oneIn'', %s, ''rows'', hashed, ''hash'', '
        'mod(mod(coalesce(hash, 0) + coalesce(computed, 0), 18446744073709551616) + 18446744073709551616, 18446744073709551616)::text)', one_in) END,
      CASE condition WHEN '' THEN 'NULL' ELSE format('(SELECT jsonb_build_object(''rows'', count(*) - counted.n, ''hash'', %s) FROM ONLY %I.%I whole)',
        CASE WHEN one_in = 1 THEN format('mod(mod(coalesce(sum(%s), 0) - coalesce(counted.hash, 0), 18446744073709551616) + '
          '18446744073709551616, 18446744073709551616)::text', hash) ELSE 'NULL' END, nspname, relname) END,
      CASE WHEN one_in IS NULL THEN 'NULL' WHEN one_in = 1 THEN format('sum(%s)', hash) ELSE format('sum(%s) FILTER (WHERE %s & %s = 0)', hash, sample, one_in - 1) END,
      CASE WHEN one_in > 1 THEN format('count(*) FILTER (WHERE %s & %s = 0)', sample, one_in - 1) ELSE 'count(*)' END,
      CASE WHEN one_in > 1 THEN computed ELSE 'NULL::numeric' END, largest,
      CASE condition WHEN '' THEN format('ONLY %I.%I', nspname, relname) ELSE format('(SELECT * FROM ONLY %I.%I %s) named', nspname, relname, condition) END)
    WHEN 'copy' THEN format('SELECT ''copied '' || %L', facts || '{"rows": null, "exact": false, "content": null, "largestValue": null}')
    WHEN 'estimate' THEN format('SELECT ''table '' || %L', facts || jsonb_build_object('rows', greatest(reltuples::bigint, 0), 'exact', false))
    ELSE format('SELECT ''table '' || %L', facts || '{"rows": null, "exact": false}')
  END,
  CASE counted_by WHEN 'copy' THEN format('COPY %I.%I TO ''/dev/null''', nspname, relname) END
  FROM statements ORDER BY number
\gexec
COMMIT;
SELECT 'counted';
\set QUIET on
