# PostgreSQL with pool_ext, preloaded.
#
#   docker build --pull --build-arg PG_MAJOR=17 -t pool_ext .
#   docker run -d -e POSTGRES_PASSWORD=... pool_ext
ARG PG_MAJOR=15

FROM postgres:${PG_MAJOR}-bookworm AS build
ARG PG_MAJOR
# Headers of the very server: those of a later minor release may need more of it.
RUN apt-get update && apt-get install -y --no-install-recommends \
    gcc gettext libc6-dev make "postgresql-server-dev-${PG_MAJOR}=${PG_VERSION}"
COPY . /src
RUN make -C /src with_llvm=no && \
    make -C /src with_llvm=no install DESTDIR=/installed

FROM postgres:${PG_MAJOR}-bookworm
COPY --from=build /installed/ /
# For lc_messages; without it the server speaks English.
RUN localedef -i zh_CN -c -f UTF-8 -A /usr/share/locale/locale.alias zh_CN.UTF-8
CMD ["postgres", "-c", "shared_preload_libraries=pool_ext"]
