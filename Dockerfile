# The simulator as a container:
#
#   docker build -t wan .
#   docker run --rm -p 127.0.0.1:8080:8080 wan
#
# The control API is off in a container, whose clients come from another address, unless the command has --control:
#
#   docker run --rm -p 127.0.0.1:8080:8080 wan simulate --addr 0.0.0.0:8080 --control
#
# Any other command works too: docker run --rm -e AIML_API_KEY -v "$PWD:/work" -w /work wan wait ID -o out.mp4
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS TARGETARCH
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -trimpath -ldflags="-s -w" -o /out/wan ./api/cmd/wan
RUN mkdir -m 1777 /out/tmp

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/ /
USER 65532:65532
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["/wan", "simulate", "--probe", "http://127.0.0.1:8080"]
ENTRYPOINT ["/wan"]
CMD ["simulate", "--addr", "0.0.0.0:8080"]
