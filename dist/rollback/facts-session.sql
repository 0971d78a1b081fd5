-- Settings of a session that reads facts about a database.
SET search_path = pg_catalog;
SET lock_timeout = :'lock_wait';
-- pg_dump has no time limits either, and compiling our statements takes longer than running them. Not every version has all of
-- these settings.
SELECT count(set_config(name, '0', false)) AS switched_off FROM pg_settings
  WHERE name IN ('statement_timeout', 'transaction_timeout', 'idle_session_timeout', 'idle_in_transaction_session_timeout', 'jit')
\gset
-- Only what is said in English is known to hold no data.
SELECT count(set_config(name, 'C', false)) AS in_english FROM pg_settings
  WHERE name = 'lc_messages' AND current_setting('is_superuser') = 'on'
\gset
SET row_security = off;
SET client_encoding = 'UTF8';
-- A value must be written as another server writes it.
SET extra_float_digits = 3;
SET DateStyle = ISO;
SET IntervalStyle = postgres;
SET bytea_output = hex;
SET TimeZone = 'UTC';
SET lc_monetary = 'C';
SET xmlbinary = base64;
