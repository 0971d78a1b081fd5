# An image of PostgreSQL as some make it themselves: without zstd and without bash, so that a backup has to do with less.
ARG BASE
FROM ${BASE}
COPY docker-entrypoint.sh /usr/local/bin/
RUN rm -f /bin/bash /usr/bin/bash /bin/rbash /usr/bin/rbash /usr/bin/*zst*
CMD ["postgres", "-c", "listen_addresses=*"]
