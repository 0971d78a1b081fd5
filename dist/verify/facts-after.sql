SELECT 'sequences-after ' || coalesce(jsonb_agg(jsonb_build_object(
    'schema', schemaname, 'name', sequencename, 'value', last_value::text, 'increment', increment_by::text))::text, '[]')
  FROM pg_sequences;
COMMIT;
SELECT 'end';
\q
