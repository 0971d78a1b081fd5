-- Text as people write it, in many copies, so that it compresses to a twentieth: mails, tickets, articles.
CREATE TABLE letters (id bigint NOT NULL, at timestamptz NOT NULL, subject text NOT NULL, body text NOT NULL);
INSERT INTO letters
SELECT n, '2024-01-01 00:00+00'::timestamptz + n * interval '7 minutes', 'Your order ' || (n * 7919::bigint) % 900000,
  (SELECT string_agg((ARRAY['Dear customer, thank you for your letter.', 'The parcel has left our house this morning.',
    'We are sorry that you had to wait so long for it.', 'Please write to us whenever anything is not as it should be.',
    'Your invoice comes with a letter of its own.', 'It can be returned within thirty days.',
    'Our shop is closed on the days between the years.', 'Number ' || md5((n * 31 + part)::text)])
    [1 + (n * 104729::bigint + part * 7919) % 8], ' ' ORDER BY part) FROM generate_series(1, 24) part)
FROM generate_series(1, :rows) n;
ALTER TABLE letters ADD PRIMARY KEY (id);
ANALYZE letters;
