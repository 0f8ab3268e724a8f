package app_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/twinlock/twinlock/internal/app"
)

// FuzzControlSocket: whatever comes through the socket, the server answers or
// lets go, and runs nothing but what was asked.
func FuzzControlSocket(f *testing.F) {
	for _, said := range []string{
		"", "{", "null", "[]", `{"Args":["user","list"]}`, `{"Args":["user","add","a@example.org"],"Reads":true}{"In":"c2V2ZW4="}{"Ended":true}`, `{"Args":null,"Reads":true}`,
		`{"Args":["x"],"Reads":true}{"In":"!"}`, `{"Args":["x"],"Reads":true}{"In":"","Ended":false}{"Out":"YQ==","Ended":true}`, `{"Args":"x"}`, `{"args":["x"]}trailing`,
		`{"Args":["x"],"Reads":true}{"Ended":true}{"Ended":true}`, `{"Args":["` + strings.Repeat("a", 70000) + `"]}`, "{\"Args\":[\"\xff\"]}", `{"Args":["crash"]}`,
	} {
		f.Add([]byte(said))
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		var ran [][]string
		run := func(_ context.Context, _ *app.App, line app.Line) int {
			ran = append(ran, line.Args)
			if slices.Contains(line.Args, "crash") {
				panic("as asked")
			}
			if line.In != nil {
				typed, _ := io.ReadAll(line.In)
				_, _ = line.Out.Write(typed)
			}
			line.Progress("rows", 1, 2)
			return 3
		}
		ours, theirs := net.Pipe()
		ended := make(chan struct{})
		go func() { app.AnswerControl(theirs, run); close(ended) }()
		go func() { _, _ = io.Copy(io.Discard, ours) }()
		_, _ = ours.Write(said) // an error where nobody listens any more
		_ = ours.Close()
		<-ended
		var asked struct{ Args []string }
		err := json.NewDecoder(strings.NewReader(string(said))).Decode(&asked)
		if len(ran) > 1 || len(ran) == 1 && (err != nil || !slices.Equal(ran[0], asked.Args)) || len(ran) == 0 && err == nil {
			t.Errorf("%q ran %q", said, ran)
		}
	})
}

// FuzzControlAnswer: whatever answers a command, it ends with the status that was
// said, or with an error.
func FuzzControlAnswer(f *testing.F) {
	for _, said := range []string{
		"", "{", `{"Ended":true}`, `{"Ended":true,"Status":2}`, `{"Out":"YQ=="}{"Errors":"Yg=="}{"Progress":{"What":"rows","Done":1,"Total":-1}}{"Ended":true,"Status":-1}`,
		`{"Out":"!"}`, `{"Progress":null,"Ended":true}`, `{"Ended":true,"Progress":{}}`, `{"Status":7}`, `null`, `{"In":"YQ=="}{"Ended":1}`,
	} {
		f.Add([]byte(said))
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		ours, theirs := net.Pipe()
		go func() { _, _ = theirs.Write(said); _ = theirs.Close() }()
		status, err := app.ListenTo(ours, app.Line{Out: io.Discard, Errors: io.Discard, Progress: func(string, int64, int64) {}})
		_ = ours.Close()
		want, ends := lastFrame(said)
		if ends != (err == nil) || ends && status != want || !ends && status == 0 {
			t.Errorf("%q ends with %d, %v", said, status, err)
		}
	})
}

// lastFrame finds the frame that ends what was said, and its status.
func lastFrame(said []byte) (status int, ends bool) {
	for frames := json.NewDecoder(strings.NewReader(string(said))); ; {
		var f struct {
			In, Out, Errors []byte
			Progress        *struct {
				What        string
				Done, Total int64
			}
			Ended  bool
			Status int
		}
		if frames.Decode(&f) != nil {
			return 0, false
		}
		if f.Ended {
			return f.Status, true
		}
	}
}
