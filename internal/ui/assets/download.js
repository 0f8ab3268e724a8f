// Buttons that save the text of an element as a file. Nothing goes over the
// wire: what is shown once is not fetched a second time.

import { say } from './status.js'
import { textOf } from './text-of.js'

for (const button of document.querySelectorAll('[data-download-from]')) {
  button.addEventListener('click', () => {
    const { downloadFrom, file, done } = button.dataset
    const link = document.createElement('a')
    link.href = URL.createObjectURL(new Blob([textOf(downloadFrom) + '\n'], { type: 'text/plain;charset=utf-8' }))
    link.download = file
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
    say(done)
  })
  button.hidden = false
}
