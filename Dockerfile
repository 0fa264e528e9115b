# podgate as a container image: one static binary and nothing else. `cargo xtask image` puts the
# context together (target/image) and builds it.
FROM scratch
# The kubeconfig is written here, by a user who owns nothing else.
COPY --chown=65532:65532 run/ /run/podgate/
COPY podgate /podgate
USER 65532:65532
EXPOSE 6443
# Flags of podgate serve follow: --cluster /suite/clusters/NAME.yaml --kubernetes 1.36
ENTRYPOINT ["/podgate", "serve", "--address", "0.0.0.0:6443", "--write-kubeconfig", "/run/podgate/kubeconfig"]
