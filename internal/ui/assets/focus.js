// A link of the summary leads into its field, and a summary that asks for the
// focus gets it also where the browser's autofocus has been used up.

const summary = document.getElementById('summary')

if (summary) {
  if (summary.autofocus && document.activeElement === document.body) summary.focus()
  summary.addEventListener('click', event => {
    const field = document.getElementById(event.target.hash?.slice(1) ?? '')
    if (!field) return
    event.preventDefault()
    field.focus()
    field.closest('.field, .tick, .choices')?.scrollIntoView({ block: 'nearest' })
  })
}
