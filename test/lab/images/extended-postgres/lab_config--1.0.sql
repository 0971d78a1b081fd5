-- What a user sets is for dumps; what the extension brings along is not, since CREATE EXTENSION makes it again.
CREATE TABLE settings (name text PRIMARY KEY, value text NOT NULL, is_own boolean NOT NULL DEFAULT false);
INSERT INTO settings VALUES ('version', '1', true);
SELECT pg_extension_config_dump('settings', 'WHERE NOT is_own');

CREATE SEQUENCE dumped;
SELECT pg_extension_config_dump('dumped', '');
CREATE SEQUENCE undumped;
