INSERT INTO orders
SELECT n, (n * 104729::bigint) % 200000, (n % 100000) / 100.0, (ARRAY['new', 'paid', 'sent', 'returned'])[1 + n % 4],
  'Bahnhofstrasse ' || n % 300 || ', ' || 1000 + n % 9000 || ' Musterstadt, Schweiz',
  md5(n::text) || ' Please leave the parcel at the door and ring twice, thank you. ' || md5((n * 3)::text) || ' ' ||
  repeat(chr(97 + n % 26), n % 40) || ' ' || md5((n * 5)::text) || ' ' || md5((n * 11::bigint)::text)
FROM generate_series(1, :rows) n;
ALTER TABLE orders ADD PRIMARY KEY (id);
