package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	beatPause     = 250 * time.Millisecond
	beatsKnown    = 16 // of how many it is remembered when they were said
	beatsPerSweep = 4
)

// beat is one beat and when it was said.
type beat struct {
	number int64
	at     time.Time
}

var (
	errTakenForGone = errors.New("the other servers took this one for gone")
	errNoBeatBack   = errors.New("what this server says does not come back to it")
)

// beat says again and again that this node is here, and answers what it heard.
// A beat must be on disk as every other commit, on the standbys too where the
// database has some: a primary that was replaced and does not know it must not
// let anybody believe in what it remembers.
func (h *hearing) beat(ctx context.Context, voice *pgx.Conn) error {
	tick := time.NewTicker(beatPause)
	defer tick.Stop()
	began := time.Now()
	for i := 1; ; i++ {
		if err := h.sayBeat(ctx, voice); err != nil {
			return err
		}
		if last := h.proved.Load(); time.Since(began) > silence && (last == nil || time.Since(*last) > silence) {
			return errNoBeatBack
		}
		if i%beatsPerSweep == 0 {
			if err := h.sweep(ctx, voice); err != nil {
				return err
			}
		}
		if err := h.answerUntil(ctx, voice, tick.C); err != nil {
			return err
		}
	}
}

func (h *hearing) sayBeat(ctx context.Context, voice *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	n := h.beats.Add(1)
	h.said[n%beatsKnown].Store(&beat{n, time.Now()})
	said, err := voice.Exec(ctx, `
		WITH mine AS (UPDATE nodes SET beat = $2 WHERE id = $1 RETURNING id)
		SELECT pg_notify($3, $4) FROM mine`, h.id, n, beatChannel+h.id, strconv.FormatInt(n, 10))
	if err != nil {
		return fmt.Errorf("tell other servers that this one is here: %w", err)
	}
	if said.RowsAffected() == 0 {
		return errTakenForGone
	}
	return nil
}

// hearOwnBeat believes in what is remembered for a while longer.
func (h *hearing) hearOwnBeat(number string) {
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 {
		return
	}
	said := h.said[n%beatsKnown].Load()
	if said == nil || said.number != n {
		return
	}
	if last := h.proved.Load(); last == nil || said.at.After(*last) {
		h.proved.Store(&said.at)
	}
	h.once.Do(func() { close(h.connected) })
}

// answerUntil answers endings until it is time for the next beat.
func (h *hearing) answerUntil(ctx context.Context, voice *pgx.Conn, next <-chan time.Time) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-next:
			return nil
		case first := <-h.answers:
			if err := h.answer(ctx, voice, append([]string{first}, h.waiting()...)); err != nil {
				return err
			}
		}
	}
}

// waiting takes the endings that are to be answered too.
func (h *hearing) waiting() (endings []string) {
	for len(endings) < mostHeard-1 {
		select {
		case ending := <-h.answers:
			endings = append(endings, ending)
		default:
			return endings
		}
	}
	return endings
}

func (h *hearing) answer(ctx context.Context, voice *pgx.Conn, endings []string) error {
	text, err := json.Marshal(news{From: h.id, Heard: endings})
	if err != nil {
		return err
	}
	if err := soon(ctx, voice, `SELECT pg_notify($1, $2)`, newsChannel, string(text)); err != nil {
		return fmt.Errorf("answer other servers: %w", err)
	}
	return nil
}
