-- Opens the snapshot in which everything is dumped and counted, and keeps it open. Takes no locks on tables: pg_dump needs one for
-- each, and a server has only so many.
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT 'large-objects ' || count(*) FROM pg_largeobject_metadata;
SELECT 'extensions ' || coalesce(jsonb_agg(jsonb_build_object('name', extname, 'version', extversion) ORDER BY extname)::text, '[]')
  FROM pg_extension;
SELECT 'locks ' || CASE WHEN count(*) > 0.8 * current_setting('max_locks_per_transaction')::bigint *
    (current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint) THEN 'scarce' ELSE 'ample' END
  FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S');
-- Whoever may not set lc_messages is refused the session, if it asks for that.
SELECT 'superuser ' || current_setting('is_superuser');
SELECT 'snapshot ' || pg_export_snapshot();
-- Long answers come behind the snapshot: the dump waits for that.
\echo :sequences
SELECT 'empty-views ' || coalesce(jsonb_agg(jsonb_build_object('schema', schemaname, 'name', matviewname) ORDER BY schemaname, matviewname)::text, '[]')
  FROM pg_matviews WHERE NOT ispopulated;
-- pg_dump leaves out all that belongs to an extension, also what somebody has added to it by hand, or made on one of its tables; and
-- what somebody has put into the schemas that PostgreSQL has of its own, here under no extension. Collations there are left out:
-- a server has those of its machine.
-- Not every version counts the types of a table's rows, of arrays and of multiranges among the members.
-- It leaves out as well what somebody has changed of an extension's functions, and what everybody may do in a schema that was called
-- public once: it takes that for what every database has from the start.
WITH made_with_another AS (
  SELECT typarray AS oid FROM pg_type UNION ALL SELECT oid FROM pg_type WHERE typtype = 'm'
  UNION ALL SELECT reltype FROM pg_class WHERE relkind <> 'c'
), members AS (
  SELECT extname, classid, objid, type, identity FROM pg_depend JOIN pg_extension e ON e.oid = refobjid
    LEFT JOIN made_with_another made ON classid = 'pg_type'::regclass AND made.oid = objid, pg_identify_object(classid, objid, 0)
  WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e' AND identity IS NOT NULL AND made.oid IS NULL
), made_on_tables AS (
  SELECT 'column' AS kind, attname AS name, attrelid AS made_on FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped
  UNION ALL SELECT 'index', relname, indrelid FROM pg_index JOIN pg_class ON oid = indexrelid
  UNION ALL SELECT 'constraint', conname, conrelid FROM pg_constraint WHERE contype IN ('c', 'f')
  UNION ALL SELECT 'trigger', tgname, tgrelid FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL SELECT 'rule', rulename, ev_class FROM pg_rewrite
), ours AS (
  SELECT 'pg_proc'::regclass AS catalog, oid, pronamespace AS place FROM pg_proc
  UNION ALL SELECT 'pg_class'::regclass, oid, relnamespace FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f')
  UNION ALL SELECT 'pg_operator'::regclass, oid, oprnamespace FROM pg_operator
  UNION ALL SELECT 'pg_type'::regclass, oid, typnamespace FROM pg_type WHERE oid NOT IN (SELECT oid FROM made_with_another)
), definitions AS (
  SELECT oid, to_hex(hashtextextended(textin(record_out(ROW(prosrc, probin, provolatile, proisstrict, prosecdef, proleakproof, proparallel,
    procost, prorows, proconfig))), 0)) AS hash
  FROM pg_proc WHERE prokind <> 'a'
), open_schemas AS (
  SELECT format('privilege %s for PUBLIC on schema %I', privilege_type, nspname) AS object FROM pg_namespace, aclexplode(nspacl)
  WHERE grantee = 0 AND nspname NOT IN ('pg_catalog', 'information_schema', 'public')
), astray AS (
  SELECT type || ' ' || identity AS object FROM ours JOIN pg_namespace n ON n.oid = place, pg_identify_object(catalog, ours.oid, 0)
  WHERE ours.oid >= 16384 AND nspname IN ('pg_catalog', 'information_schema')
    AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = catalog AND objid = ours.oid AND deptype IN ('e', 'i'))
)
SELECT 'members ' || coalesce(jsonb_agg(jsonb_build_object('extension', extname, 'objects', objects) ORDER BY extname)::text, '[]')
  FROM (SELECT extname, jsonb_agg(left(object, 2000) ORDER BY object) AS objects
    FROM (SELECT extname, type || ' ' || identity AS object FROM members
      UNION ALL SELECT extname, format('%s %I on %s', kind, name, identity) FROM members JOIN made_on_tables ON made_on = objid
        WHERE type = 'table'
      UNION ALL SELECT extname, format('definition of %s %s: %s', type, identity, hash) FROM members JOIN definitions d ON d.oid = objid
        WHERE classid = 'pg_proc'::regclass
      UNION ALL SELECT '', object FROM astray UNION ALL SELECT '', object FROM open_schemas) listed
    GROUP BY extname) members;
