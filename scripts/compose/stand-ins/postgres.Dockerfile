# Stands in for the official Postgres image: Debian's package of the same major version, the same user, directories
# and entry point variables.
FROM bailiwick-stand-in:debian
ARG MAJOR
ENV LANG=C.UTF-8 PATH=/usr/lib/postgresql/$MAJOR/bin:$PATH PGDATA=/var/lib/postgresql/data
RUN groupadd --system --gid 999 postgres \
 && useradd --system --uid 999 --gid postgres --home-dir /var/lib/postgresql postgres \
 && mkdir -p /etc/postgresql-common /docker-entrypoint-initdb.d \
 && echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf \
 && apt-get update -q \
 && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
      -o Dpkg::Options::=--force-confold postgresql-$MAJOR \
 && apt-get clean && rm -rf /var/lib/apt/lists/* \
 && install --directory --owner postgres --group postgres --mode 3777 /run/postgresql \
 && install --directory --owner postgres --group postgres --mode 1777 "$PGDATA"
COPY postgres-entrypoint /usr/local/bin/
RUN chmod 755 /usr/local/bin/postgres-entrypoint
VOLUME /var/lib/postgresql/data
STOPSIGNAL SIGINT
ENTRYPOINT ["postgres-entrypoint"]
CMD ["postgres"]
