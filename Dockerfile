# wsgrade in a small image, which has a shell for `--spawn` and for CI services that run jobs in it.
#
#   docker build -t wsgrade .
#   docker run --rm --network host -v "$PWD:/work" --user "$(id -u):$(id -g)" wsgrade test ws://127.0.0.1:9001/

FROM rust:1-slim-bookworm AS build
WORKDIR /src
COPY . .
# Rust's image has the C compiler that ring needs.
RUN cargo build --release --locked --package wsgrade --bin wsgrade

FROM debian:bookworm-slim
COPY --from=build /src/target/release/wsgrade /usr/local/bin/wsgrade
COPY --from=build /src/LICENSE-APACHE /src/LICENSE-MIT /usr/share/doc/wsgrade/
RUN useradd --create-home --uid 10001 wsgrade && install --directory --owner wsgrade /work
USER wsgrade
# Reports go here: a directory of the host, or one of the container's.
WORKDIR /work
ENTRYPOINT ["wsgrade"]
CMD ["--help"]
