package apps

import (
	"net/http"

	"github.com/twinlock/twinlock/internal/auth"
	"github.com/twinlock/twinlock/internal/web"
)

// sendLogo answers with the picture of an application, to whoever sees it on a
// list. Its address changes with the picture, so browsers keep it.
func (h *Flow) sendLogo(w http.ResponseWriter, r *http.Request) error {
	v := web.Asking(r)
	a, err := h.Store.Application(r.Context(), auth.ApplicationID(r.PathValue("id")))
	if err != nil {
		return err
	}
	if !a.MayOpen(v.User().ID, v.Groups()) && !v.User().Administrator {
		return web.NotFound()
	}
	png, err := h.Store.Logo(r.Context(), a.ID)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "image/png")
	w.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
	_, err = w.Write(png)
	return err
}
