// A link of the summary leads into its field, with the field's label in view.

document.getElementById('summary')?.addEventListener('click', event => {
  const field = document.getElementById(event.target.hash?.slice(1) ?? '')
  if (!field) return
  event.preventDefault()
  field.focus()
  field.closest('.field, .tick, .choices')?.scrollIntoView({ block: 'nearest' })
})
