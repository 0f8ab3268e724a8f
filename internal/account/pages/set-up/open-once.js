// A tap on the QR code opens the authenticator app. A double-tap is two taps,
// and must not open it twice.

const doubleTap = 1000 // milliseconds; slow hands included

for (const link of document.querySelectorAll('a[href^="otpauth:"]')) {
  let opened = -doubleTap
  link.addEventListener('click', (event) => {
    if (event.timeStamp - opened < doubleTap) event.preventDefault()
    else opened = event.timeStamp
  })
}
