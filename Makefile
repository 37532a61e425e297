# make install puts jtx and jtx-plus, their manual pages and completions below PREFIX.
PREFIX ?= /usr/local
DESTDIR ?=
GO ?= go
ROOT = $(DESTDIR)$(PREFIX)
PROGRAMS = jtx jtx-plus

.PHONY: build bin/share bin/deb test install uninstall dist

build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o bin/ $(PROGRAMS:%=./cmd/%)

test:
	$(GO) vet ./...
	$(GO) test ./...

# What is installed is made by the program itself, so that it fits.
bin/share: build
	rm -rf bin/share
	mkdir -p bin/share/bash-completion/completions bin/share/zsh/site-functions bin/share/fish/vendor_completions.d
	set -e; for p in $(PROGRAMS); do \
		bin/$$p man bin/share/man/man1; \
		bin/$$p completion bash > bin/share/bash-completion/completions/$$p; \
		bin/$$p completion zsh > bin/share/zsh/site-functions/_$$p; \
		bin/$$p completion fish > bin/share/fish/vendor_completions.d/$$p.fish; \
	done
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
	install -m 755 $(PROGRAMS:%=bin/%) "$(ROOT)/bin"
	umask 022 && cp -R bin/share/. "$(ROOT)/share/"

uninstall:
	rm -f "$(ROOT)"/share/man/man1/jtx.1 "$(ROOT)"/share/man/man1/jtx-*.1
	for p in $(PROGRAMS); do \
		rm -f "$(ROOT)/bin/$$p" "$(ROOT)/share/bash-completion/completions/$$p"; \
		rm -f "$(ROOT)/share/zsh/site-functions/_$$p" "$(ROOT)/share/fish/vendor_completions.d/$$p.fish"; \
	done

# The platforms of a release, and Windows, compiled only.
dist:
	@for p in linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64; do \
		echo $$p; CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build -trimpath -o bin/dist/ $(PROGRAMS:%=./cmd/%) || exit 1; \
	done
