-- Sequences ignore snapshots: this is read before and after the dump. That of an identity column is dumped with its table, so it
-- is not if the table belongs to an extension. Told by `\echo :sequences`.
SELECT 'sequences-' || :'moment' || ' ' || coalesce(jsonb_agg(jsonb_build_object(
    'schema', schemaname, 'name', sequencename, 'value', last_value::text, 'increment', increment_by::text, 'cycles', cycle,
    'extension', extname, 'isDumped', coalesce(c.oid = ANY (extconfig), extname IS NULL)))::text, '[]') AS sequences
  FROM pg_sequences JOIN pg_namespace n ON nspname = schemaname JOIN pg_class c ON relnamespace = n.oid AND relname = sequencename
    LEFT JOIN pg_depend identity ON identity.classid = 'pg_class'::regclass AND identity.objid = c.oid AND identity.objsubid = 0
      AND identity.refclassid = 'pg_class'::regclass AND identity.deptype = 'i'
    LEFT JOIN pg_depend member ON member.classid = 'pg_class'::regclass AND member.objid = coalesce(identity.refobjid, c.oid)
      AND member.objsubid = 0 AND member.refclassid = 'pg_extension'::regclass AND member.deptype = 'e'
    LEFT JOIN pg_extension e ON e.oid = member.refobjid
\gset
