COMMIT;
SELECT 'end';
\q
