# Insula's commands. A newcomer needs two of them: `make run` and `make test`. `make help` lists the rest.
# Works with GNU make 3.81 and newer.

BIN       := .bin
GOVERSION := $(shell go env GOVERSION 2>/dev/null)

# Arguments for the program behind a target: make run ARGS=--parts-only
ARGS ?=
# Packages and further flags for `make test`, `make bench`: make test PKGS=./modules/users/... TESTFLAGS='-run Create -v'
PKGS      ?= ./...
TESTFLAGS ?=

# Programs whose libraries must never enter the product are modules of their own; they are tested and linted beside it.
NESTED := cmd/devs3 cmd/bench/casbin

# The generators and the linter live in modules of their own, so that what they depend on never enters the
# product. They are built once: the stamp is named by what decides their content.
stamp = $(BIN)/.$(1)-$(GOVERSION)-$(shell cat cmd/tools/$(1)/go.mod cmd/tools/$(1)/go.sum | cksum | tr ' ' '-')
GEN   := $(call stamp,gen)
LINT  := $(call stamp,lint)

.PHONY: help run test generate verify verify-plants lint bench bench-fleet bench-copies bench-fairshare clean reset-data new-migration \
	new-module check-new-module check-schema check-migrations check-generated check-queries check-docs docs need-go need-cc \
	dev schema insula
.NOTPARALLEL:

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: dev ## start everything on embedded parts; print URLs and a login
	$(BIN)/dev run $(ARGS)

test: dev ## run all tests on throw-away parts
	$(BIN)/dev test -- go test -timeout 30m $(TESTFLAGS) $(PKGS)
	$(if $(filter ./...,$(PKGS)),$(foreach module,$(NESTED),go test -C $(module) $(TESTFLAGS) ./... &&) true)

# Numbers of tenants to measure routing with: ROUTING=10,1000,10000 takes the better part of an hour.
ROUTING ?= 10,1000

# By default only packages that have benchmarks are compiled.
BENCHED = $(addprefix ./,$(sort $(dir $(shell grep -rl --include='*_test.go' '^func Benchmark' cmd modules platform))))

bench: dev ## measure: Go benchmarks, requests per second against the floor, routing to many tenants
	$(BIN)/dev test -- go test -run '^$$' -bench . -benchmem $(TESTFLAGS) $(if $(filter ./...,$(PKGS)),$(BENCHED),$(PKGS))
	go build -o $(BIN)/bench ./cmd/bench
	$(BIN)/dev test -- $(BIN)/bench $(ARGS)
	go build -o $(BIN)/bench-routing ./cmd/bench/routing
	$(BIN)/dev test -- $(BIN)/bench-routing -tenants $(ROUTING)

# Tenants of `make bench-fleet`: TENANTS=10000 takes the better part of an hour.
TENANTS ?= 1000

bench-fleet: dev ## measure: making tenants and bringing all of them to a new version
	go build -o $(BIN)/bench-fleet ./cmd/bench/fleet
	$(BIN)/dev test -- $(BIN)/bench-fleet -tenants $(TENANTS) $(ARGS)

bench-copies: dev ## measure: backing up, restoring and cloning a tenant
	go build -o $(BIN)/bench-copies ./cmd/bench/copies
	$(BIN)/dev test -- $(BIN)/bench-copies $(ARGS)

bench-fairshare: dev ## measure: what a flood of one tenant costs another
	$(BIN)/dev test -- go test ./wire_gen -run '^TestFairShare$$' -count=1 -v -fairshare 20s

generate: $(GEN) ## make all generated code and reference pages anew
	scripts/generate.sh $(BIN) code
	scripts/generate.sh $(BIN) docs

new-migration: schema ## write the next migration: make new-migration SCOPE=tenant NAME=add_color
	@test -n "$(NAME)" -a -n "$(SCOPE)" || { echo 'usage: make new-migration SCOPE=control|tenant NAME=what_it_does' >&2; exit 2; }
	$(BIN)/schema diff $(NAME) --scope $(SCOPE)

new-module: schema $(GEN) ## write a module: make new-module NAME=invoices NOUN=invoice (ARGS=-dry-run shows it first)
	go run ./cmd/newmodule -bin $(BIN) -name '$(NAME)' -noun '$(NOUN)' $(ARGS)

check-new-module: schema $(GEN) $(LINT) ## prove, in a copy of the tree, that a new module stands
	scripts/check_new_module.sh $(BIN)

verify: check-schema check-migrations check-generated check-queries check-docs lint ## prove that nothing has drifted
	@echo '== verified'

check-schema: schema ## the migrations build the declared schema
	@echo '== declared schema = migrations'
	$(BIN)/schema check

check-migrations: schema ## no migration is dangerous
	@echo '== migrations are safe'
	$(BIN)/schema lint
	scripts/squawk.sh $(BIN)

check-generated: $(GEN) ## the generated code is fresh
	@echo '== generated code is fresh'
	scripts/check_generated.sh $(BIN)

check-queries: schema $(GEN) ## every query prepares, and an index serves it
	@echo '== queries are served by indexes'
	$(BIN)/schema vet --sqlc $(CURDIR)/$(BIN)/sqlc

check-docs: need-go ## the OpenAPI document and the reference pages are fresh
	@echo '== reference documents are fresh'
	scripts/check_docs.sh $(BIN)

lint: $(LINT) ## run the linters
	@echo '== linters'
	$(BIN)/golangci-lint run --allow-parallel-runners
	$(foreach module,$(NESTED),(cd $(module) && $(CURDIR)/$(BIN)/golangci-lint run --allow-parallel-runners) &&) true

verify-plants: $(GEN) $(LINT) ## plant each kind of drift and prove that verify finds it
	scripts/verify_plants.sh $(BIN)

clean: ## remove built programs (the tools take minutes to build again)
	rm -rf $(BIN)

reset-data: dev ## remove the state of `make run`
	$(BIN)/dev reset

# Go keeps track of what these depend on.
dev schema insula: need-go
	@mkdir -p $(BIN)
	go build -o $(BIN)/$@ ./cmd/$@

$(GEN): | need-go need-cc
	@echo '== building the generators (minutes, once)'
	@mkdir -p $(BIN) && rm -f $(BIN)/.gen-*
	go build -C cmd/tools/gen -mod=readonly -trimpath -o $(CURDIR)/$(BIN)/ tool
	@touch $@

$(LINT): | need-go
	@echo '== building the linter (minutes, once)'
	@mkdir -p $(BIN) && rm -f $(BIN)/.lint-*
	go build -C cmd/tools/lint -mod=readonly -trimpath -o $(CURDIR)/$(BIN)/ tool
	@touch $@

need-go:
	@test -n "$(GOVERSION)" || { echo 'Go is missing: install the version that go.mod names, from https://go.dev/dl/' >&2; exit 1; }

need-cc:
	@scripts/need_cc.sh
