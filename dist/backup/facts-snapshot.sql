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
