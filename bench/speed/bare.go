package main

import "net/http"

// bare is the least that a question could cost: a handler that gives the four
// headers, and one that leads away.
func bare(address string) {
	http.HandleFunc("/question", func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Remote-User", people[0].address)
		h.Set("Remote-Email", people[0].address)
		h.Set("Remote-Name", people[0].address)
		h.Set("Remote-Groups", "")
		w.WriteHeader(http.StatusOK)
	})
	http.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "https://id.example.org/login?next=%2F")
		w.WriteHeader(http.StatusFound)
	})
	panic(http.ListenAndServe(address, nil))
}
