module github.com/twinlock/twinlock/tools

go 1.26.0

require (
	github.com/ccojocar/zxcvbn-go v1.0.4
	github.com/twinlock/twinlock v0.0.0
)

require (
	github.com/BurntSushi/toml v1.6.0 // indirect
	github.com/FastFilter/xorfilter v0.4.2-0.20260120015552-4e5a4d9df65a // indirect
	golang.org/x/crypto v0.58.0 // indirect
	golang.org/x/exp/typeparams v0.0.0-20231108232855-2478ac86f678 // indirect
	golang.org/x/mod v0.41.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
	golang.org/x/tools v0.51.0 // indirect
	honnef.co/go/tools v0.8.2 // indirect
)

replace github.com/twinlock/twinlock => ../

tool honnef.co/go/tools/cmd/staticcheck
