// Pages of this browser act one after the other: the second waits until the
// first is done. A page that hangs holds the others up for a moment only, and
// where the browser cannot let pages wait for each other nothing is waited for;
// so what is done here must be right when another page does it at the same time.

const moment = 10_000

export async function inTurn(act) {
  let begun = false
  const begin = () => {
    begun = true
    return act()
  }
  try {
    return await navigator.locks.request('twinlock', { signal: AbortSignal.timeout(moment) }, begin)
  } catch (problem) {
    if (begun) throw problem
    return act()
  }
}
