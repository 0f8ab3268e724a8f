// Package secret makes the random values that stand for a person: session
// cookies, mailed links, the ids that travel in forms.
//
// A Token is handed out once and kept only as its Hash, so whoever reads the
// database holds nothing that opens a door. Tokens and Texts do not print
// themselves: whatever is formatted, logged or marshalled says ‹secret›, and
// only Reveal gives the value away.
package secret

// hidden stands in for every secret that somebody tries to print.
const hidden = "‹secret›"
