INSERT INTO events
SELECT n, '2024-01-01 00:00+00'::timestamptz + n * interval '7 seconds', (n * 7919::bigint) % 200000,
  (ARRAY['view', 'search', 'add to cart', 'checkout', 'payment'])[1 + n % 5],
  jsonb_build_object('session', md5(n::text), 'agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:' || n % 130 || '.0) Gecko/20100101',
    'path', '/products/' || (n * 31::bigint) % 50000 || '/reviews?page=' || n % 9, 'ms', n % 977, 'token', md5((n + 1)::text),
    'tags', jsonb_build_array('web', 'eu-central', n % 3))
FROM generate_series(1, :rows) n;
ALTER TABLE events ADD PRIMARY KEY (id);
