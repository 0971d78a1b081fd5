-- Ordinary tables and leaf partitions, without those that belong to an extension: pg_dump leaves their rows out.
SELECT format(
    CASE :'row_counts'
      WHEN 'exact' THEN 'SELECT ''table '' || jsonb_build_object(''schema'', %1$L, ''name'', %2$L, ''rows'', count(*), ''exact'', true)::text FROM ONLY %1$I.%2$I'
      WHEN 'estimate' THEN 'SELECT ''table '' || jsonb_build_object(''schema'', %1$L, ''name'', %2$L, ''rows'', greatest(%3$s, 0), ''exact'', false)::text'
      ELSE 'SELECT ''table '' || jsonb_build_object(''schema'', %1$L, ''name'', %2$L, ''rows'', NULL, ''exact'', false)::text'
    END, nspname, relname, reltuples::bigint)
  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
  WHERE relkind = 'r' AND relpersistence <> 't'
    AND nspname NOT IN ('pg_catalog', 'information_schema') AND nspname !~ '^pg_(toast|temp)'
    AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype = 'e')
  ORDER BY 1
\gexec
