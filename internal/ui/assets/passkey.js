// Asks the browser for a passkey, or to make one, and sends its answer with the
// form that asked. Where the browser has no passkeys the page stays as it is
// without this script, and another way is taken.
//
// A form says data-passkey="get" or "create", and in data-options for what. A
// button of it with data-ask begins; data-conditional offers passkeys in the
// address field besides. What is said when none was used is in data-cancelled,
// and when the device has one already in data-taken. data-renew tells after how
// many milliseconds to begin anew: what was begun is over soon after.

const able = window.PublicKeyCredential?.parseRequestOptionsFromJSON && window.PublicKeyCredential.parseCreationOptionsFromJSON

for (const form of document.querySelectorAll('form[data-passkey]')) if (able) watch(form)
for (const place of document.querySelectorAll('[data-unable]')) place.hidden = Boolean(able)
signal('[data-unknown]', 'unknown', ['signalUnknownCredential'])
signal('[data-accepted]', 'accepted', ['signalAllAcceptedCredentials', 'signalCurrentUserDetails'])

function watch(form) {
  const status = form.querySelector('[role=status]')
  let waiting = null // for what the browser is asked now, or next
  let over = Promise.resolve() // what it was asked last
  let begun = performance.now()

  form.hidden = false
  for (const button of form.elements) if ('ask' in button.dataset) {
    button.hidden = false
    button.addEventListener('click', () => ask(false))
  }

  // A browser asks one thing at a time: what it was asked before has to be over.
  function ask(conditional) {
    if (!conditional) say('')
    stop()
    const own = waiting = { abort: new AbortController(), conditional }
    over = over.then(() => answer(own))
  }

  function stop() {
    waiting?.abort.abort()
    waiting = null
  }

  async function answer(own) {
    if (waiting !== own) return
    const ceremony = form.elements.ceremony.value
    try {
      send(await request(own), ceremony)
    } catch (why) {
      if (waiting !== own) return // another one was begun instead, or the page is left
      waiting = null
      if (own.conditional) return
      say(why.name === 'InvalidStateError' && form.dataset.taken || form.dataset.cancelled)
      offer()
    }
  }

  async function request({ conditional, abort: { signal } }) {
    const options = JSON.parse(form.dataset.options)
    if (form.dataset.passkey === 'create') {
      return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options), signal })
    }
    const asked = { publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options), signal }
    return navigator.credentials.get(conditional ? { ...asked, mediation: 'conditional' } : asked)
  }

  function send(answer, ceremony) {
    waiting = null
    form.elements.ceremony.value = ceremony // the page may have begun anew while it was answered
    form.elements.passkey.value = JSON.stringify(answer)
    if (form.elements.code) form.elements.code.value = '' // the passkey stands in its place
    form.requestSubmit()
  }

  async function offer() {
    if (!('conditional' in form.dataset)) return
    const can = await PublicKeyCredential.isConditionalMediationAvailable?.().catch(() => false)
    if (can && !waiting) ask(true)
  }

  async function renew() {
    if (isAsking()) return
    begun = performance.now()
    const attempt = form.elements.attempt?.value
    const answer = await fetch('/login/passkey/begin', {
      method: 'POST', body: new URLSearchParams(attempt ? { attempt } : {}), credentials: 'same-origin', cache: 'no-store', redirect: 'error',
    }).catch(() => null)
    if (!answer?.ok) {
      begun += 60_000 - life // and again in a minute
      return
    }
    const { options, ceremony } = await answer.json()
    if (isAsking()) return
    stop()
    form.dataset.options = JSON.stringify(options)
    form.elements.ceremony.value = ceremony
    offer()
  }

  // The person is being asked, and answers what was begun.
  function isAsking() {
    return waiting && !waiting.conditional
  }

  function say(text) {
    if (status) status.textContent = text ?? ''
  }

  // A hidden page waits until it is looked at again: then what it began may be
  // over.
  const life = Number(form.dataset.renew)
  if (life) {
    const look = () => {
      if (!document.hidden && performance.now() - begun >= life) renew().catch(() => {})
    }
    setInterval(look, Math.min(life, 10_000))
    document.addEventListener('visibilitychange', look)
  }
  addEventListener('pagehide', stop)
  addEventListener('pageshow', event => {
    if (!event.persisted) return
    form.elements.passkey.value = ''
    offer()
  })
  offer()
}

// Tells the browser what it may forget, where it listens.
function signal(selector, name, methods) {
  for (const place of document.querySelectorAll(selector)) {
    for (const method of methods) {
      window.PublicKeyCredential?.[method]?.(JSON.parse(place.dataset[name]))?.catch(() => {})
    }
  }
}
