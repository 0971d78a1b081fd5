-- Sequences ignore snapshots: this is read before and after the dump.
SELECT 'sequences-' || :'moment' || ' ' || coalesce(jsonb_agg(jsonb_build_object(
    'schema', schemaname, 'name', sequencename, 'value', last_value::text, 'increment', increment_by::text, 'cycles', cycle,
    'extension', extname, 'isDumped', coalesce(c.oid = ANY (extconfig), extname IS NULL)))::text, '[]')
  FROM pg_sequences JOIN pg_namespace n ON nspname = schemaname JOIN pg_class c ON relnamespace = n.oid AND relname = sequencename
    LEFT JOIN pg_depend ON classid = 'pg_class'::regclass AND objid = c.oid AND objsubid = 0
      AND refclassid = 'pg_extension'::regclass AND deptype = 'e'
    LEFT JOIN pg_extension e ON e.oid = refobjid;
