-- Opens the snapshot in which everything is dumped and counted. Reads sequences first, because they ignore snapshots.
SET search_path = pg_catalog;
SET lock_timeout = :'lock_wait';
-- pg_dump does the same for its own session. Not every version has all of these settings.
SELECT count(set_config(name, '0', false)) AS switched_off FROM pg_settings
  WHERE name IN ('statement_timeout', 'transaction_timeout', 'idle_session_timeout', 'idle_in_transaction_session_timeout')
\gset
SET row_security = off;
SET client_encoding = 'UTF8';
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
SELECT 'sequences-before ' || coalesce(jsonb_agg(jsonb_build_object(
    'schema', schemaname, 'name', sequencename, 'value', last_value::text, 'increment', increment_by::text))::text, '[]')
  FROM pg_sequences;
SELECT 'large-objects ' || count(*) FROM pg_largeobject_metadata;
SELECT 'extensions ' || coalesce(jsonb_agg(jsonb_build_object('name', extname, 'version', extversion) ORDER BY extname)::text, '[]')
  FROM pg_extension;
SELECT 'snapshot ' || pg_export_snapshot();
