// Shows how good a new password is while it is typed. The server judges, with
// the same rules that it applies when the form is sent.

for (const strength of document.querySelectorAll('[data-judge]')) {
  const { judge, field, judgeWith } = strength.dataset
  const password = document.getElementById(field)
  let waiting, asking

  const ask = async () => {
    asking?.abort()
    if (password.value === '') {
      strength.hidden = true
      return
    }
    asking = new AbortController()
    try {
      const answer = await fetch(judge, { method: 'POST', body: question(), signal: asking.signal })
      if (answer.ok) show(await answer.json())
      else strength.hidden = true // too many ask at once: what it said was of another password
    } catch {
      // Stopped by the next letter, or no network: the form will tell.
    }
  }

  const question = () => {
    const names = judgeWith ? judgeWith.split(' ') : []
    const values = names.map(name => [name, password.form.elements[name]?.value ?? ''])
    return new URLSearchParams([['password', password.value], ...values])
  }

  const show = ({ score, text }) => {
    strength.hidden = false
    strength.dataset.score = Math.max(score, 1)
    const words = strength.querySelector('p')
    if (words.textContent !== text) words.textContent = text
  }

  password.addEventListener('input', () => {
    clearTimeout(waiting)
    waiting = setTimeout(ask, 350)
  })
}
