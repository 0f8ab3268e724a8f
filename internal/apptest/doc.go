// Package apptest runs Twinlock for tests: the whole program on a store in a
// temporary folder, with a clock that tests turn, a mail box that they open,
// and browsers in which people fill in the real forms.
//
//	site := apptest.New(t)
//	site.Activate(auth.TwoFactorPlugin)
//	ada := site.Person("ada@example.org")
//
//	browser := site.Browser()
//	browser.SignIn(ada)
//	page := browser.Get("/account/two-factor")
//	page = page.Form("Activate").Fill("Login code", "123456").Press()
//	page.WantStatus(422)
//
// Controls are found by the words that people see, as a screen reader finds
// them, so a test reads like the page. Whatever cannot be found ends the test.
//
// A browser has no scripts; those are for the tests in browser/.
package apptest
