# A small image of the server: the program and glibc, no shell, a user without rights.
#
#   docker build -t tenantry .
#   docker run -p 8443:8443 -v tenantry:/var/lib/tenantry tenantry serve --domain localhost:8443
#
# /healthz, /readyz and /metrics are on port 9090.
FROM rust:1.89-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --package tenantry \
    && install -D target/release/tenantry /image/usr/local/bin/tenantry \
    && install -d -m 0700 /image/var/lib/tenantry

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /image/usr/local/bin/ /usr/local/bin/
# A volume takes its owner from here.
COPY --from=build --chown=65532:65532 /image/var/lib/tenantry /var/lib/tenantry
ENV TENANTRY_DATA_DIR=/var/lib/tenantry \
    TENANTRY_LISTEN=0.0.0.0:8443 \
    TENANTRY_OPS_LISTEN=0.0.0.0:9090
USER 65532:65532
VOLUME /var/lib/tenantry
EXPOSE 8443 9090
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/tenantry"]
CMD ["serve"]
