-- Two tables as a web shop has them, for a measurement. Their keys are made when they are full: that is quicker.
CREATE TABLE events (
  id bigint NOT NULL, at timestamptz NOT NULL, customer integer NOT NULL, kind text NOT NULL, body jsonb NOT NULL
);
CREATE TABLE orders (
  id bigint NOT NULL, customer integer NOT NULL, amount numeric(12, 2) NOT NULL, state text NOT NULL,
  address text NOT NULL, note text NOT NULL
);
