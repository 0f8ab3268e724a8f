// Counts down the authenticator's period, and begins anew with the next one.
// The server says how much is left, because the device's own clock may be wrong.
// Where less motion is wanted the ring goes on once a second, with its number.

const less = matchMedia('(prefers-reduced-motion: reduce)')

for (const ring of document.querySelectorAll('.ring')) {
  const period = Number(ring.dataset.period)
  const end = Date.now() + Number(ring.dataset.left)
  const number = ring.querySelector('span')
  const tick = () => {
    const left = ((end - Date.now()) % period + period) % period
    const seconds = Math.ceil(left / 1000)
    ring.style.setProperty('--share', (less.matches ? seconds * 1000 : left) / period)
    ring.classList.toggle('few', seconds <= 5)
    if (number.textContent !== String(seconds)) number.textContent = seconds
  }
  tick()
  setInterval(tick, 250)
  ring.hidden = false
}
