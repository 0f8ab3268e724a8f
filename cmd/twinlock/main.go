// Twinlock is a self-hosted sign-in server with two-factor authentication.
//
// Exit status: 0 done, 1 failed, 2 wrong usage. Errors are one line each on
// standard error.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	syscall.Umask(0o077) // what the program writes is for its owner alone
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // whoever asks twice does not wait
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program, with its surroundings as arguments.
func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	line, status, done := parse(args, out, errs)
	if done {
		return status
	}
	return line.execute(ctx, args, in, out, errs)
}
