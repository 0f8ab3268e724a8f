package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twinlock/twinlock/bench/serving"
	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/store"
)

// purgedEvents and purgedSessions are as many as one purge removes here: the oldest.
const (
	purgedEvents   = 50_000
	purgedSessions = 10_000
)

// measurePurge removes what is oldest, as the program does by the hour, and tells
// how long somebody waits meanwhile who wants to write something small.
func (s *site) measurePurge(ctx context.Context) error {
	db, err := s.open()
	if err != nil {
		return err
	}
	defer db.Close()
	now := time.Now()
	var events, sessions int64
	if err := db.QueryRowContext(ctx, `SELECT at FROM events ORDER BY at LIMIT 1 OFFSET $1`, purgedEvents).Scan(&events); err != nil {
		return err
	}
	if err := db.QueryRowContext(ctx, `SELECT ended_at FROM sessions WHERE ended_at > 0 ORDER BY ended_at LIMIT 1 OFFSET $1`, purgedSessions).Scan(&sessions); err != nil {
		return err
	}
	// A clock that leapt is not believed: it has gone on for two days.
	if _, err := db.ExecContext(ctx, `UPDATE clock SET read_at = $1, steady_since = $2`, now.UnixMilli(), now.AddDate(0, 0, -2).UnixMilli()); err != nil {
		return err
	}
	o, err := store.Open(ctx, s.url(), nil, store.Rules{})
	if err != nil {
		return err
	}
	defer o.Close()
	kept := store.Kept{Events: now.Sub(time.UnixMilli(events)), Sessions: now.Sub(time.UnixMilli(sessions)), Throttle: 60 * 24 * time.Hour}
	idle, err := waits(ctx, o, func() error { time.Sleep(3 * time.Second); return nil })
	if err != nil {
		return err
	}
	began := time.Now()
	during, err := waits(ctx, o, func() error { return o.Purge(ctx, kept, now) })
	if err != nil {
		return err
	}
	took := time.Since(began)
	fmt.Printf("\nA purge of %d events and %d sessions took %.1f s. Meanwhile a writer of one event needed, in ms:\n", purgedEvents, purgedSessions, took.Seconds())
	fmt.Printf("  half %.1f, 99 of 100 %.1f, the slowest of %d %.1f, wanted under 100; without a purge half %.1f, the slowest of %d %.1f\n\n",
		during.Median(), during.Quantile(0.99), len(during), during.Quantile(1), idle.Median(), len(idle), idle.Quantile(1))
	return nil
}

// waits has a writer write again and again while something goes on.
func waits(ctx context.Context, s *store.Store, meanwhile func() error) (took serving.Figures, err error) {
	ended := make(chan error, 1)
	go func() { ended <- meanwhile() }()
	for {
		select {
		case err := <-ended:
			return took, err
		default:
		}
		ms, err := timed(func() error { return s.Record(ctx, auth.Actor{}, auth.EventLogout, "", "growth", time.Now()) })
		if err != nil {
			return nil, err
		}
		took = append(took, ms)
		time.Sleep(2 * time.Millisecond)
	}
}

func timed(act func() error) (ms float64, err error) {
	began := time.Now()
	err = act()
	return serving.Milliseconds(time.Since(began)), err
}
