// A code is typed on a phone's numeric keypad. Who types a recovery code instead
// gets the letters.

for (const button of document.querySelectorAll('[data-letters]')) {
  const field = document.getElementById(button.dataset.letters)
  button.addEventListener('click', () => {
    const letters = field.inputMode === 'numeric'
    field.inputMode = letters ? 'text' : 'numeric'
    button.setAttribute('aria-pressed', String(letters))
    field.focus()
  })
  button.hidden = false
}
