package app

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/twinlock/twinlock/internal/store"
	"github.com/twinlock/twinlock/internal/web"
)

// unready says in one word why the program cannot do its work. Strangers read
// it, so it tells nothing more; the log does.
type unready string

const (
	isReady unready = ""
	// The database does not answer, or not in time.
	databaseSilent unready = "database"
	// The database belongs to other keys than ours.
	keysOfOthers unready = "keys"
	// The clock was set back, and what was over could not be ended.
	clockStands unready = "clock"
	// The server was told to stop, and answers a little longer.
	stops unready = "stopping"
)

// readyPatience is how long the database may take to say that it is there:
// load balancers are to hear within two seconds that it is not.
const readyPatience = 1500 * time.Millisecond

// errClockStands is what the log says of a clock that waits for the machine's.
var errClockStands = errors.New("the clock was set back and the time stands still")

func (a *App) healthy(w http.ResponseWriter, r *http.Request) error {
	return web.JSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

func (a *App) ready(w http.ResponseWriter, r *http.Request) error {
	// Whoever hangs up is no failure of the database.
	why, err := a.readiness(context.WithoutCancel(r.Context()))
	// Whoever asks every second fills no log.
	if before := a.unready.Swap(why); before != why && why != isReady && why != stops {
		a.Floor.LogOf(r).Error("not ready", "because", string(why), "error", err)
	}
	if why != isReady {
		return web.JSON(w, http.StatusServiceUnavailable, map[string]string{"status": "not ready", "because": string(why)})
	}
	return web.JSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// readiness asks the database first: without it the clock may stand, too.
func (a *App) readiness(ctx context.Context) (unready, error) {
	if a.stopping.Load() {
		return stops, nil
	}
	ctx, cancel := context.WithTimeout(ctx, readyPatience)
	defer cancel()
	switch err := a.Store.Ready(ctx); {
	case errors.Is(err, store.ErrOtherKeys):
		return keysOfOthers, err
	case err != nil:
		return databaseSilent, err
	case a.clock.Stands():
		return clockStands, errClockStands
	}
	return isReady, nil
}
