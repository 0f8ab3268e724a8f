// A form is sent once, however often its button is pressed. A form that may be
// sent again from the same page, such as a download, says data-repeat.

const sent = new Map()

// On window, so that whoever stops a form in order to ask first is heard first.
addEventListener('submit', event => {
  const form = event.target
  if (event.defaultPrevented || form.method !== 'post' || 'repeat' in form.dataset) return
  if (sent.has(form)) {
    event.preventDefault()
    return
  }
  form.setAttribute('aria-busy', 'true')
  // Where no answer came, the person may try again.
  sent.set(form, setTimeout(release, 20_000, form))
})

function release(form) {
  clearTimeout(sent.get(form))
  sent.delete(form)
  form.removeAttribute('aria-busy')
}

// Back brings the page as it was left.
addEventListener('pageshow', () => { for (const form of sent.keys()) release(form) })
