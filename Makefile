# `make` alone lists what there is.
.DEFAULT_GOAL := help
SHELL := /bin/bash

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: ## build and start the server at http://localhost:8080, with its data in ./data
	@go build -o bin/twinlock ./cmd/twinlock
	@exec bin/twinlock serve --data ./data

dev: ## start the developer's server: sample people, gallery, mail box, clock
	@go run ./cmd/twinlock-dev

test: ## install what the tests need, then run every test, in browsers and on PostgreSQL too
	@tools/prepare
	@tools/test ./...

quick: ## the tests that need no browser and no database server
	@go test ./internal/... ./cmd/...

check: ## formatting, vet, staticcheck, tidy
	@test -z "$$(gofmt -l cmd internal browser bench faults tools)" || { gofmt -l cmd internal browser bench faults tools; exit 1; }
	@go vet ./...
	@cd tools && go vet ./...
	@go build -C tools -o ../bin/staticcheck honnef.co/go/tools/cmd/staticcheck
	@bin/staticcheck ./...
	@bin/staticcheck -tags testclock ./...
	@go mod tidy -diff
	@cd tools && go mod tidy -diff

pictures: ## a picture of every page: phone and desktop, light and dark, into browser/pictures
	@tools/prepare
	@go test ./browser ./browser/gallery -run 'TestPictures|TestRecoveryCodesArePrintedOnOnePageWithNothingElse' -pictures -count=1

walk: ## walk through the two mission documents in a browser, one line a sentence
	@tools/prepare
	@go test ./browser -run TestTheMission -count=1 -v

fuzz: ## each fuzz target for a minute; what it finds is kept in testdata/fuzz, to be committed
	@tools/fuzz 1m

bench: ## ratios to a bare server and to bare hashes, in about five minutes; needs wrk
	@go run ./bench/speed

growth: ## what a million people make slower, on both engines, in half an hour; needs wrk and 12 GB
	@go run ./bench/growth -engine sqlite
	@go run ./bench/growth -engine postgres

faults: ## kill, break and overload the real program on both engines, in the long form; prints one table
	@tools/prepare long
	@mkdir -p bin
	@cd faults && go test -count=1 -timeout 4h -args -long -table ../bin/faults.md

package: ## build the Debian package into dist, the same bytes for the same commit
	@packaging/package

image: ## build the container image into dist, without an engine, the same bytes for the same commit
	@packaging/image

clean: ## remove what was built, never the data
	@rm -rf bin dist browser/pictures

.PHONY: help run dev test quick check pictures walk fuzz bench growth faults package image clean
