// Keeps watch over the session of a page that stays open: offers to stay
// before the session ends, covers the page when it has ended, and takes the
// password there, so that nothing typed is lost.
//
// The secret that proves this window lives in this closure and nowhere else.

import { inTurn } from './in-turn.js'

const others = new BroadcastChannel('twinlock')
const place = document.getElementById('session-window')
if (place) {
  const { secret, person, idleLeft, warnLeft, totalLeft } = place.dataset
  delete place.dataset.secret
  place.remove()
  watch(secret, person, { idle: +idleLeft, warn: +warnLeft, total: +totalLeft })
}
others.postMessage('changed') // a page was shown: in other tabs the session may stand otherwise now

function watch(secret, person, left) {
  const soon = document.getElementById('session-soon')
  const expired = document.getElementById('session-expired')
  const form = expired.querySelector('form.return')
  const anew = expired.querySelector('.anew')
  const askEvery = 10_000, answerWithin = 10_000
  let standing = 'live', since = clocks()
  let asking = null, asked = performance.now()
  let covered = false, focused = null, returns = 0

  // A laptop that slept stops one clock, a clock that was set moves the other:
  // the one that went further counts.
  function clocks() { return { running: performance.now(), wall: Date.now() } }
  function elapsed() { return Math.max(performance.now() - since.running, Date.now() - since.wall) }

  // ---- the server's word

  async function post(path, fields = {}) {
    const answer = await fetch(path, {
      method: 'POST', body: new URLSearchParams(fields), credentials: 'same-origin', cache: 'no-store', redirect: 'error',
      signal: AbortSignal.timeout(answerWithin),
    })
    if (answer.status === 503) throw new Error('busy')
    return answer.json()
  }

  // An answer that was on its way while the session came back tells how things
  // stood before.
  async function state() {
    const before = returns
    const answer = await post('/login/window/state')
    return returns === before || answer.standing === 'live' ? answer : state()
  }

  // Asks how the session stands, and does what follows. Questions that overlap
  // share one answer. Gives the standing, or "unknown" where nobody answers.
  function ask() {
    asking ??= state().then(follow).catch(() => 'unknown').finally(() => { asking = null; asked = performance.now() })
    return asking
  }

  async function follow(answer) {
    standing = answer.standing
    switch (standing) {
      case 'live': goOn(answer); break
      case 'lapsed': secret ? cover(false) : empty(toLogin()); break
      case 'login': cover(true); break
      case 'over': await makeSure(() => inTurn(state)); break
    }
    return standing
  }

  function goOn(answer) {
    if (answer.person !== person) return empty('/apps')
    secret = answer.secret
    left = { idle: answer.idleLeft, warn: answer.warnLeft, total: answer.totalLeft }
    since = clocks()
    uncover()
  }

  // This page's cookie or secret opens nothing any more. Either the session is
  // over, or another page has just brought it back, or is about to. So nothing
  // is shown, and one more question decides.
  async function makeSure(question) {
    veil()
    if (!navigator.locks) await aWord()
    let answer
    try {
      answer = await question()
    } catch (problem) {
      cover(false)
      return complain(problem)
    }
    if (answer.standing !== 'live') return empty(toLogin())
    standing = 'live'
    goOn(answer)
  }

  // Waits until another page says that something has changed, for a moment.
  function aWord() {
    return new Promise(heard => {
      others.addEventListener('message', heard, { once: true })
      setTimeout(heard, 2000)
    })
  }

  // ---- what is seen of the page

  function veil() {
    if (covered) return
    covered = true
    focused = document.activeElement
    document.documentElement.classList.add('covered')
  }

  // With fullLogin the password alone is not enough any more.
  function cover(fullLogin) {
    veil()
    const other = form.hidden !== fullLogin
    form.hidden = fullLogin
    anew.hidden = !fullLogin
    if (soon.open) soon.close()
    if (!expired.open) {
      form.reset()
      complain()
      expired.showModal()
    } else if (other) {
      expired.querySelector(fullLogin ? '.anew a' : 'input').focus()
    }
  }

  function uncover() {
    if (soon.open && elapsed() < left.warn) soon.close()
    if (!covered) return
    covered = false
    returns++
    document.documentElement.classList.remove('covered')
    form.reset()
    if (expired.open) expired.close()
    focused?.focus({ preventScroll: true })
  }

  // Nothing of this page stays on the screen, or comes back with the Back
  // button. Where the other page does not come either, a link leads there.
  function empty(to) {
    secret = null
    const link = Object.assign(document.createElement('a'), { href: to, textContent: expired.dataset.leave, className: 'emptied' })
    document.documentElement.classList.remove('covered')
    document.body.replaceChildren()
    setTimeout(() => document.body.append(link), 3000)
    location.replace(to)
  }

  function toLogin() { return '/login?next=' + encodeURIComponent(location.pathname + location.search) }

  // Says in the open dialog why nothing happened; without a problem, nothing.
  function complain(problem) {
    const place = (soon.open ? soon : form).querySelector('[role=alert]')
    place.textContent = !problem ? '' : problem.message === 'busy' ? place.dataset.busy : place.dataset.unreachable
  }

  // ---- the clock

  function look() {
    const gone = elapsed(), total = gone >= left.total
    if (total || gone >= left.idle) {
      if (covered && (form.hidden || !total)) return
      cover(total)
      ask()
    } else if (gone >= left.warn) {
      warn(left.idle - gone)
    } else if (!document.hidden && performance.now() - asked > askEvery) {
      ask()
    }
  }

  async function warn(remaining) {
    if (!soon.open && !covered) {
      await ask() // another tab may have kept the session alive
      if (covered || soon.open || elapsed() < left.warn) return
      complain()
      soon.showModal()
    }
    tell(Math.ceil(remaining / 1000))
  }

  // The number is shown at each second, and spoken at two minutes, at one, and
  // at twenty seconds.
  function tell(seconds) {
    const spoken = soon.querySelector('.spoken')
    soon.querySelector('.left').textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
    const words = seconds > 60 ? `${spoken.dataset.minutes} ${Math.ceil(seconds / 60)}`
      : seconds > 20 ? `${spoken.dataset.minutes} 1` : `${spoken.dataset.seconds} 20`
    if (spoken.textContent !== words) spoken.textContent = words
  }

  // ---- staying, and coming back

  async function stay() {
    try {
      await follow(await post('/login/window/stay'))
      others.postMessage('changed')
    } catch (problem) {
      if (await ask() === 'unknown' && soon.open) complain(problem)
    }
  }

  soon.querySelector('[data-stay]').addEventListener('click', stay)
  soon.addEventListener('cancel', event => { event.preventDefault(); stay() })
  expired.addEventListener('cancel', event => event.preventDefault())
  expired.addEventListener('close', () => { if (covered) expired.showModal() }) // a second Escape does not ask

  // Of several pages that come back at once the first brings the session back,
  // and the others find it alive.
  async function comeBack(password) {
    const before = await state()
    if (!covered) return
    if (before.standing === 'over') return makeSure(state)
    if (before.standing !== 'lapsed') return follow(before)
    const answer = await post('/login/window', { password, secret })
    if (answer.standing === 'over') return makeSure(state)
    await follow(answer)
    if (answer.standing === 'live') others.postMessage('changed')
    if (answer.text) form.querySelector('[role=alert]').textContent = answer.text
  }

  form.addEventListener('submit', async event => {
    event.preventDefault()
    event.stopImmediatePropagation()
    if (form.hasAttribute('aria-busy')) return
    form.setAttribute('aria-busy', 'true')
    complain()
    const field = form.elements.password
    try {
      await inTurn(() => comeBack(field.value))
    } catch (problem) {
      complain(problem)
    }
    form.removeAttribute('aria-busy')
    field.value = ''
    if (covered && !form.hidden) field.focus()
  })

  // ---- before the page is left

  // Before a link is followed or a form is sent the session is asked for. When
  // it has lapsed the dialog comes first, and the person presses again.
  const passing = new WeakSet()
  document.addEventListener('submit', event => {
    const form = event.target
    if (passing.delete(form) || expired.contains(form) || form.getAttribute('action') === '/logout') return
    event.preventDefault()
    event.stopImmediatePropagation()
    const { submitter } = event
    beforeLeaving(() => { passing.add(form); form.requestSubmit(submitter) })
  }, true)
  document.addEventListener('click', event => {
    const link = event.target.closest?.('a[href]')
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
    if (link.target || link.hasAttribute('download') || link.origin !== location.origin || isWithinPage(link)) return
    event.preventDefault()
    beforeLeaving(() => location.assign(link.href))
  })

  function isWithinPage(link) {
    return link.hash && link.pathname === location.pathname && link.search === location.search
  }

  let leaving = false
  async function beforeLeaving(go) {
    if (leaving) return
    leaving = true
    const stands = await ask()
    leaving = false
    if (stands === 'live' || stands === 'unknown' && !covered) go()
  }

  // ---- when to look

  others.addEventListener('message', ask)
  for (const moment of ['focus', 'online']) addEventListener(moment, wake)
  document.addEventListener('visibilitychange', () => { if (!document.hidden) wake() })
  addEventListener('pageshow', event => { if (event.persisted) location.reload() })
  addEventListener('pagehide', () => { secret = null })
  look()
  setInterval(look, 1000)

  // The page is covered by its own clock first, and then asks.
  function wake() {
    look()
    ask()
  }
}
