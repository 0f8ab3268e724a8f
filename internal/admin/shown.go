package admin

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
)

// asShown tells what a page shows from anything else that might stand there. A
// form carries it, so that nobody changes what they have not seen.
func asShown(shown any) string {
	written, _ := json.Marshal(shown) // texts and numbers alone
	sum := sha256.Sum256(written)
	return hex.EncodeToString(sum[:])
}

// errUnseen is a change of something that is not what its form was filled from.
var errUnseen = errors.New("somebody has changed it meanwhile")
