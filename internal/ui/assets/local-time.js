// Times come in UTC; here they are told by the reader's own clock, in the page's
// language, as it is written where the reader is. The server's words stay as the
// tooltip.

const { lang } = document.documentElement
const local = navigator.languages.find(tag => tag.split('-')[0] === lang.split('-')[0])
const format = new Intl.DateTimeFormat(local ?? lang, { dateStyle: 'long', timeStyle: 'short' })

for (const time of document.querySelectorAll('time[datetime*=T]')) {
  time.title = time.textContent
  time.textContent = format.format(new Date(time.dateTime))
}
