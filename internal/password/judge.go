package password

// Longest is the most characters (code points) that a password may have.
const Longest = 256
