\echo :sequences
COMMIT;
SELECT 'end';
\q
