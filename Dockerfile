# The server with TLS to PostgreSQL: OpenSSL is built from source, with the perl and make of the first image.
FROM rust:1-bookworm AS build
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --release --locked --features postgres-tls \
    && cp target/release/life-rooms /usr/local/bin/life-rooms

FROM debian:bookworm-slim
# curl for the health check, ca-certificates for sslmode=verify-full.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/life-rooms life-rooms \
    && install -d -o life-rooms -g life-rooms -m 0700 /var/lib/life-rooms /var/lib/life-rooms/keys
COPY --from=build /usr/local/bin/life-rooms /usr/local/bin/life-rooms
USER life-rooms
WORKDIR /var/lib/life-rooms
ENV DATABASE_URL=sqlite:///var/lib/life-rooms/life-rooms.db \
    LIFE_ROOMS_KEY_DIR=/var/lib/life-rooms/keys \
    LIFE_ROOMS_BIND=0.0.0.0:8080 \
    LIFE_ROOMS_LOG_FORMAT=json
VOLUME /var/lib/life-rooms
EXPOSE 8080
# A stopping server answers 503 for half a second and then finishes what is in flight, within 10 s.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD curl --fail --silent --show-error --output /dev/null http://127.0.0.1:8080/health/ready
ENTRYPOINT ["life-rooms"]
CMD ["serve"]
