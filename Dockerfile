# The binary alone, static, for a user who is nobody:
#   docker build --tag mcp-conform .
FROM rust:1-alpine AS build
RUN apk add --no-cache ca-certificates musl-dev
WORKDIR /source
COPY . .
RUN cargo build --profile dist --package mcp-conform --locked

FROM scratch
# For endpoints behind https: the certificates of the system are asked.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /source/target/dist/mcp-conform /mcp-conform
USER 65534:65534
WORKDIR /work
ENTRYPOINT ["/mcp-conform"]
