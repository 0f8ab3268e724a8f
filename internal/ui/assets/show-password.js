// The eye in a password field. The field is a password again before its form
// goes, or the browser would keep it as ordinary text.

for (const button of document.querySelectorAll('[data-show-password]')) {
  const field = document.getElementById(button.dataset.showPassword)
  const show = shown => {
    field.type = shown ? 'text' : 'password'
    button.setAttribute('aria-pressed', String(shown))
  }
  button.addEventListener('click', () => show(field.type === 'password'))
  field.form?.addEventListener('submit', () => show(false))
  addEventListener('pagehide', () => show(false))
  button.hidden = false
}
