# make install puts jtx, its manual pages and its completions below PREFIX.
PREFIX ?= /usr/local
DESTDIR ?=
GO ?= go
ROOT = $(DESTDIR)$(PREFIX)

.PHONY: build bin/share bin/deb test install uninstall dist

build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o bin/jtx ./cmd/jtx

test:
	$(GO) vet ./...
	$(GO) test ./...

# What is installed is made by the program itself, so that it fits.
bin/share: build
	rm -rf bin/share
	bin/jtx man bin/share/man/man1
	mkdir -p bin/share/bash-completion/completions bin/share/zsh/site-functions bin/share/fish/vendor_completions.d
	bin/jtx completion bash > bin/share/bash-completion/completions/jtx
	bin/jtx completion zsh > bin/share/zsh/site-functions/_jtx
	bin/jtx completion fish > bin/share/fish/vendor_completions.d/jtx.fish
	chmod -R u=rwX,go=rX bin/share

# What a Debian package has compressed.
bin/deb: bin/share
	rm -rf bin/deb
	cp -R bin/share/man/man1 bin/deb
	gzip -9n bin/deb/*.1
	gzip -9nc CHANGELOG.md > bin/deb/changelog.gz
	chmod -R u=rwX,go=rX bin/deb

install: bin/share
	umask 022 && install -d "$(ROOT)/bin" "$(ROOT)/share"
	install -m 755 bin/jtx "$(ROOT)/bin/jtx"
	umask 022 && cp -R bin/share/. "$(ROOT)/share/"

uninstall:
	rm -f "$(ROOT)/bin/jtx" "$(ROOT)"/share/man/man1/jtx.1 "$(ROOT)"/share/man/man1/jtx-*.1
	rm -f "$(ROOT)/share/bash-completion/completions/jtx" "$(ROOT)/share/zsh/site-functions/_jtx"
	rm -f "$(ROOT)/share/fish/vendor_completions.d/jtx.fish"

# The platforms of a release, compiled only.
dist:
	@for p in linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64; do \
		echo $$p; CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build -trimpath -o /dev/null ./cmd/jtx || exit 1; \
	done
