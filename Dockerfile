# PostgreSQL with pool_ext, preloaded.  Untested: no image was built from it.
#
#   docker build --build-arg PG_MAJOR=17 -t pool_ext .
ARG PG_MAJOR=15

FROM postgres:${PG_MAJOR}-bookworm AS build
ARG PG_MAJOR
RUN apt-get update && apt-get install -y --no-install-recommends \
    gcc libc6-dev make "postgresql-server-dev-${PG_MAJOR}"
COPY . /src
RUN make -C /src with_llvm=no && \
    make -C /src with_llvm=no install DESTDIR=/installed

FROM postgres:${PG_MAJOR}-bookworm
COPY --from=build /installed/ /
CMD ["postgres", "-c", "shared_preload_libraries=pool_ext"]
