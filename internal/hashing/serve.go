package hashing

import (
	"bufio"
	"encoding/gob"
	"errors"
	"io"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

const (
	// least lets no garbage gather that is worth a hash: of several that are made one
	// after another, as of recovery codes, two are in memory at most.
	least = 10
	// beside the hashes, one for each core, is little else. Where what one filled lies
	// in pieces, it is given back before the next is put elsewhere.
	beside = 8 << 20
	// pause is how long nothing is asked before the machine gets everything back.
	pause = time.Second
)

// ServeWhenIdle is Serve for a process that is asked one thing at a time, and takes
// only what nobody else wants of the machine. Where that is not allowed, it goes
// after others all the same.
func ServeWhenIdle(in io.Reader, out io.Writer) error {
	_ = onlyWhenIdle()
	runtime.GOMAXPROCS(1)
	return Serve(in, out)
}

// Serve is the process that hashes. It answers what is asked on in, each question
// as soon as it has come, until in ends; an error where what comes is none.
func Serve(in io.Reader, out io.Writer) error {
	debug.SetGCPercent(least) // what one hash filled is given back for the next, which takes little where there is nothing else
	resting := time.AfterFunc(pause, debug.FreeOSMemory)
	defer resting.Stop()
	questions, answers := gob.NewDecoder(bufio.NewReader(in)), gob.NewEncoder(out)
	var most int64 // that a hash has asked for yet
	var writing sync.Mutex
	var all sync.WaitGroup
	defer all.Wait()
	for {
		var q question
		if err := questions.Decode(&q); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		resting.Stop()
		if m := q.memory(); m > most {
			most = m
			debug.SetMemoryLimit(int64(runtime.GOMAXPROCS(0))*most + beside)
		}
		all.Go(func() {
			defer resting.Reset(pause)
			a := q.answer()
			runtime.GC() // before the answer, which brings the next question
			writing.Lock()
			defer writing.Unlock()
			_ = answers.Encode(a) // where nobody is there any more, no further question comes either
		})
	}
}
