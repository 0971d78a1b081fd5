-- Text as people write it, with some that does not repeat, so that it compresses to a sixth: mails, tickets, articles.
CREATE TABLE letters (id bigint NOT NULL, at timestamptz NOT NULL, subject text NOT NULL, body text NOT NULL);
INSERT INTO letters
SELECT n, '2024-01-01 00:00+00'::timestamptz + n * interval '7 minutes', 'Your order ' || (n * 7919::bigint) % 900000,
  -- Four of eleven sentences are numbers.
  (SELECT string_agg(coalesce((ARRAY['Dear customer, thank you for your letter.', 'The parcel has left our house this morning.',
    'We are sorry that you had to wait so long for it.', 'Please write to us whenever anything is not as it should be.',
    'Your invoice comes with a letter of its own.', 'It can be returned within thirty days.',
    'Our shop is closed on the days between the years.'])[1 + (hashint8(n * 24::bigint + part) & 2147483647) % 11],
    'Number ' || md5((n * 24::bigint + part)::text)), ' ' ORDER BY part) FROM generate_series(1, 24) part)
FROM generate_series(1, :rows) n;
ALTER TABLE letters ADD PRIMARY KEY (id);
ANALYZE letters;
