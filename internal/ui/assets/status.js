// Says what a script has just done, on the screen and to screen readers.

let region

export function say(text) {
  if (!region) {
    region = document.createElement('p')
    region.className = 'said'
    region.setAttribute('role', 'status')
    document.body.append(region)
  }
  region.textContent = ''
  // A region has to be in the page before its words for them to be read out.
  setTimeout(() => { region.textContent = text }, 100)
  clearTimeout(region.fade)
  region.fade = setTimeout(() => { region.textContent = '' }, 6000)
}
