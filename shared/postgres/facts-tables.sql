-- Counts ordinary tables and leaf partitions, except tables of an extension: pg_dump leaves their rows out.
--
-- When the server plans a statement, it evaluates constant expressions in the indexes and statistics of the tables. These may
-- call functions of other roles, with the rights of this session. So tables for which anybody but a superuser or this role
-- could define such functions are counted with COPY, which needs no planning; it prints `copied {table}`, then `COPY rows`.
-- The same goes for tables with any function that is not compiled: nobody knows what it calls. If this role may not use COPY,
-- these tables are not counted.
\set QUIET off
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
), tables AS (
  SELECT nspname, relname, reltuples, CASE
      WHEN :'row_counts' <> 'exact' THEN :'row_counts'
      WHEN c.oid NOT IN (SELECT oid FROM open_to_others WHERE oid IS NOT NULL) THEN 'plan'
      WHEN current_setting('is_superuser') = 'on' THEN 'copy' END AS counted_by
  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
  WHERE relkind = 'r' AND relpersistence <> 't'
    AND nspname NOT IN ('pg_catalog', 'information_schema') AND nspname !~ '^pg_(toast|temp)'
    AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e')
)
SELECT format(CASE counted_by
    WHEN 'plan' THEN 'SELECT ''table '' || jsonb_build_object(''schema'', %1$L, ''name'', %2$L, ''rows'', count(*), ''exact'', true)::text FROM ONLY %1$I.%2$I'
    WHEN 'copy' THEN 'SELECT ''copied '' || jsonb_build_object(''schema'', %1$L, ''name'', %2$L)::text'
    WHEN 'estimate' THEN 'SELECT ''table '' || jsonb_build_object(''schema'', %1$L, ''name'', %2$L, ''rows'', greatest(%3$s, 0), ''exact'', false)::text'
    ELSE 'SELECT ''table '' || jsonb_build_object(''schema'', %1$L, ''name'', %2$L, ''rows'', NULL, ''exact'', false)::text'
  END, nspname, relname, reltuples::bigint),
  CASE counted_by WHEN 'copy' THEN format('COPY %I.%I TO ''/dev/null''', nspname, relname) END
  FROM tables ORDER BY 1
\gexec
\set QUIET on
