--
-- PostgreSQL database dump
--

\restrict EZZ5q34ZfNrFHIl2JSPcf3SltmlAKuooPsdf1KYihtb6wvR8QhlbD3Q7id0UoQk

-- Dumped from database version 15.20 (Debian 15.20-0+deb12u1)
-- Dumped by pg_dump version 15.20 (Debian 15.20-0+deb12u1)

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: odd; Type: TABLE; Type: SCHEMA; Schema: -; Owner: app
--

CREATE SCHEMA "odd; Type: TABLE";


ALTER SCHEMA "odd; Type: TABLE" OWNER TO app;

--
-- Name: price(integer); Type: FUNCTION; Schema: public; Owner: app
--

CREATE FUNCTION public.price(integer) RETURNS integer
    LANGUAGE sql
    AS $_$
select $1 * 2
$_$;


ALTER FUNCTION public.price(integer) OWNER TO app;

--
-- Name: price(text); Type: FUNCTION; Schema: public; Owner: app
--

CREATE FUNCTION public.price(text) RETURNS integer
    LANGUAGE sql
    AS $$ select 1 $$;


ALTER FUNCTION public.price(text) OWNER TO app;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: na"me; Schema: x; Type: TABLE; Schema: odd; Type: TABLE; Owner: app
--

CREATE TABLE "odd; Type: TABLE"."na""me; Schema: x" (
    id integer
);


ALTER TABLE "odd; Type: TABLE"."na""me; Schema: x" OWNER TO app;

--
-- Name: old_things; Type: TABLE; Schema: public; Owner: app
--

CREATE TABLE public.old_things (
    id integer
);


ALTER TABLE public.old_things OWNER TO app;

--
-- Name: orders; Type: TABLE; Schema: public; Owner: app
--

CREATE TABLE public.orders (
    id integer NOT NULL,
    customer integer NOT NULL,
    note text DEFAULT 'a
b'::text
);


ALTER TABLE public.orders OWNER TO app;

--
-- Name: orders_id_seq; Type: SEQUENCE; Schema: public; Owner: app
--

CREATE SEQUENCE public.orders_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE public.orders_id_seq OWNER TO app;

--
-- Name: orders_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: app
--

ALTER SEQUENCE public.orders_id_seq OWNED BY public.orders.id;


--
-- Name: totals; Type: VIEW; Schema: public; Owner: app
--

CREATE VIEW public.totals AS
 SELECT orders.customer,
    count(*) AS count
   FROM public.orders
  GROUP BY orders.customer;


ALTER TABLE public.totals OWNER TO app;

--
-- Name: orders id; Type: DEFAULT; Schema: public; Owner: app
--

ALTER TABLE ONLY public.orders ALTER COLUMN id SET DEFAULT nextval('public.orders_id_seq'::regclass);


--
-- Name: orders orders_pkey; Type: CONSTRAINT; Schema: public; Owner: app
--

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY (id);


--
-- PostgreSQL database dump complete
--

\unrestrict EZZ5q34ZfNrFHIl2JSPcf3SltmlAKuooPsdf1KYihtb6wvR8QhlbD3Q7id0UoQk

