-- A JSON array [what, value] a line for everything in the database, so that two databases can be compared by content.
-- Settings that the values' text depends on are the same whatever the database's own are.
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
SET extra_float_digits = 1;
SET bytea_output = 'hex';
SET search_path = pg_catalog;

-- Rows: those of the table itself, in no order, as tables have none.
SELECT format(
  $$SELECT json_build_array(%L, count(*) || ' rows ' || md5(coalesce(string_agg(h, '' ORDER BY h COLLATE "C"), '')))
    FROM (SELECT md5(t::text) AS h FROM ONLY %I.%I t) rows$$,
  'table ' || n.nspname || '.' || c.relname, n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
ORDER BY n.nspname, c.relname
\gexec

SELECT format(
  $$SELECT json_build_array(%L, last_value || ' ' || is_called) FROM %I.%I$$,
  'sequence ' || n.nspname || '.' || c.relname, n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'S'
ORDER BY n.nspname, c.relname
\gexec

SELECT json_build_array('large object ' || oid, md5(lo_get(oid))) FROM pg_largeobject_metadata ORDER BY oid;

-- Structure.
SELECT json_build_array(
  'columns of ' || n.nspname || '.' || c.relname,
  concat_ws(' ', c.relkind, c.relpersistence, c.relrowsecurity, c.relforcerowsecurity, pg_get_userbyid(c.relowner), '') ||
  coalesce(string_agg(concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
    a.attgenerated, pg_get_expr(d.adbin, d.adrelid), a.attacl), ', ' ORDER BY a.attname), ''))
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
GROUP BY c.oid, n.nspname
ORDER BY n.nspname, c.relname;

SELECT json_build_array('constraint ' || conrelid::regclass || ' ' || conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE connamespace::regnamespace::text !~ '^(pg_|information_schema)' ORDER BY 1::text;

SELECT json_build_array('index ' || indexrelid::regclass, pg_get_indexdef(indexrelid))
FROM pg_index WHERE indrelid::regclass::text !~ '^(pg_|information_schema)' ORDER BY 1::text;

SELECT json_build_array('trigger ' || tgrelid::regclass || ' ' || tgname, pg_get_triggerdef(oid))
FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1::text;

SELECT json_build_array('policy ' || polrelid::regclass || ' ' || polname, pg_get_expr(polqual, polrelid))
FROM pg_policy ORDER BY 1::text;

SELECT json_build_array('view ' || oid::regclass, pg_get_viewdef(oid))
FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace::regnamespace::text !~ '^(pg_|information_schema)' ORDER BY 1::text;

SELECT json_build_array('function ' || p.oid::regprocedure, pg_get_functiondef(p.oid))
FROM pg_proc p
WHERE p.pronamespace::regnamespace::text !~ '^(pg_|information_schema)'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
ORDER BY 1::text;

SELECT json_build_array('extension ' || extname, extversion) FROM pg_extension ORDER BY extname;
SELECT json_build_array('schema ' || nspname, nspacl::text) FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY nspname;
