// A button that does something once more rests first, and says for how long.

for (const button of document.querySelectorAll('[data-rest]')) {
  const end = Date.now() + Number(button.dataset.rest)
  const hint = button.nextElementSibling
  const number = hint.querySelector('span')
  const tick = () => {
    const seconds = Math.max(0, Math.ceil((end - Date.now()) / 1000))
    button.disabled = seconds > 0
    hint.hidden = seconds === 0
    number.textContent = seconds
    if (seconds === 0) clearInterval(ticking)
  }
  const ticking = setInterval(tick, 250)
  tick()
}
