# An image with the program and nothing else: `docker build -t pushpull .`, docs/install.md says how it is run.

FROM docker.io/library/node:22-bookworm-slim AS node

FROM docker.io/library/rust:1.95-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends musl-tools && rm -rf /var/lib/apt/lists/*
# Node.js and npm, with which the player gets smaller.
COPY --from=node /usr/local/bin/node /usr/local/bin/node
COPY --from=node /usr/local/lib/node_modules/npm /usr/local/lib/node_modules/npm
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
WORKDIR /pushpull
COPY . .
# The time that the files of the archive get; there is no history in here to ask.
ARG SOURCE_DATE_EPOCH=0
RUN SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH scripts/release \
    && cp "target/shipped/pushpull-$(uname -m)" /usr/local/bin/pushpull

FROM scratch
COPY --from=build /usr/local/bin/pushpull /pushpull
COPY --from=build /pushpull/LICENSE-APACHE /pushpull/LICENSE-MIT /
# Nobody in particular: there is no list of users in here.
USER 65532:65532
EXPOSE 1935 8082
ENTRYPOINT ["/pushpull"]
