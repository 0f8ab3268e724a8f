package web

import (
	"errors"
	"io"
	"net/http"
)

// ReadUpload reads a form of one file. No file, or an empty one, is nil. What
// else the form may hold is refused, as ReadForm does.
func ReadUpload(r *http.Request, name string) ([]byte, error) {
	if r.Body == http.NoBody {
		return nil, nil // a form that waited for a proof: files do not wait
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, BadRequest()
	}
	var content []byte
	for seen := 0; ; seen++ {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return content, nil
		} else if err != nil {
			return nil, tooLargeOrBad(err)
		}
		if part.FormName() != name || seen > 0 {
			return nil, BadRequest()
		}
		if content, err = io.ReadAll(part); err != nil {
			return nil, tooLargeOrBad(err)
		}
	}
}
