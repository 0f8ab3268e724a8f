package app

import (
	"errors"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/twinlock/twinlock/internal/config"
	"github.com/twinlock/twinlock/internal/origin"
	"github.com/twinlock/twinlock/internal/password"
	"github.com/twinlock/twinlock/internal/proof"
	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/throttle"
)

// keyFile is where the keys are: what the operator says, or a file in DATA.
func keyFile(c config.Config) string {
	if c.SealingKeyFile != "" {
		return c.SealingKeyFile
	}
	return filepath.Join(c.Data, "keys", "sealing.key")
}

func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// triesOf are the settings of the throttle as its rules.
func triesOf(c config.Config) proof.Rules {
	row := throttle.Rule{
		Free: c.ThrottleFree, FirstWait: c.ThrottleFirstWait, LongestWait: c.ThrottleLongestWait, CloseAfter: c.ThrottleClosed,
	}
	network := throttle.Rule{
		Free: c.ThrottleNetwork, FirstWait: c.ThrottleFirstWait, LongestWait: c.ThrottleLongestWait, Window: c.ThrottleNetworkSpan,
	}
	requests := network
	requests.Free = c.ThrottleRequests
	return proof.Rules{Password: row, Code: row, Network: network, Requests: requests, BitsIPv6: c.ThrottleNetworkIPv6,
		CodesThisMonth: monthOf(c)}
}

func costOf(c config.Config) password.Cost {
	return password.Cost{MemoryKiB: uint32(c.HashMemory) * 1024, Passes: uint32(c.HashPasses)}
}

func monthOf(c config.Config) throttle.Rule {
	return throttle.Rule{Free: c.WrongCodesInAll, CloseAfter: c.WrongCodesInAll, Window: c.WrongCodesInAllSpan}
}

func rulesOf(c config.Config) store.Rules {
	tries := triesOf(c)
	ours, _ := origin.Parse(string(c.PublicURL)) // the settings hold it to be one
	return store.Rules{
		Ours:             ours,
		Tries:            tries.Password,
		Network:          tries.Network,
		Requests:         tries.Requests,
		Policy:           policyOf(c),
		Letters:          throttle.Rule{Free: c.LettersPerHour, CloseAfter: c.LettersPerHour, Window: time.Hour},
		CodesThisMonth:   monthOf(c),
		RecoveryCodesFew: c.RecoveryCodesFew,
		SessionsAtOnce:   c.SessionsPerPerson,
		WindowTries:      c.OpenWindowTries,
	}
}
