// Counts down the authenticator's period, and begins anew with the next one.
// The server says how much is left, because the device's own clock may be wrong.

for (const ring of document.querySelectorAll('.ring')) {
  const period = Number(ring.dataset.period)
  const end = Date.now() + Number(ring.dataset.left)
  const number = ring.querySelector('span')
  const tick = () => {
    const left = ((end - Date.now()) % period + period) % period
    const seconds = Math.ceil(left / 1000)
    ring.style.setProperty('--share', left / period)
    ring.classList.toggle('few', seconds <= 5)
    if (number.textContent !== String(seconds)) number.textContent = seconds
  }
  tick()
  setInterval(tick, 250)
  ring.hidden = false
}
