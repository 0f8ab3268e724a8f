// The user menu closes on Escape, and when the person turns to something else.

for (const menu of document.querySelectorAll('[data-menu]')) {
  const close = () => { menu.open = false }
  menu.addEventListener('keydown', event => {
    if (event.key !== 'Escape' || !menu.open) return
    close()
    menu.querySelector('summary').focus()
  })
  menu.addEventListener('focusout', event => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) close()
  })
  document.addEventListener('click', event => {
    if (!menu.contains(event.target)) close()
  })
}
