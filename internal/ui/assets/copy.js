// Buttons that copy. They stay hidden where the browser does not let pages copy.

import { say } from './status.js'
import { textOf } from './text-of.js'

for (const button of document.querySelectorAll('[data-copy], [data-copy-from]')) {
  if (!navigator.clipboard) break
  button.addEventListener('click', async () => {
    const { copy, copyFrom, done, failed } = button.dataset
    try {
      await navigator.clipboard.writeText(copy ?? textOf(copyFrom))
      say(done)
    } catch {
      say(failed)
    }
  })
  button.hidden = false
}
