// Package proof examines what people prove themselves with: passwords and
// codes. Every flow that asks for one asks here, so that a try is paid for,
// looked at and counted in one way wherever it is made.
//
// A try is paid for before it is examined. A right one is settled by the
// store in the transaction that it is good for; a wrong one by Refuse.
package proof
