// Keeps watch over the session of a page that stays open: offers to stay
// before the session ends, covers the page when it has ended, and takes the
// password there, so that nothing typed is lost.
//
// The secret that proves this window lives in this closure and nowhere else.

const others = new BroadcastChannel("twinlock");
const place = document.getElementById("session-window");
if (place) {
  const { secret, person, idleLeft, warnLeft, totalLeft } = place.dataset;
  place.remove();
  watch(secret, person, { idle: +idleLeft, warn: +warnLeft, total: +totalLeft });
}
others.postMessage("changed"); // a page was shown: in other tabs the session may stand otherwise now

function watch(secret, person, left) {
  const soon = document.getElementById("session-soon");
  const expired = document.getElementById("session-expired");
  const form = expired.querySelector("form.return");
  const anew = expired.querySelector(".anew");
  const complaint = form.querySelector("[role=alert]");
  const askEvery = 10_000;
  let since = clocks(), asked = 0, asking = null, covered = false, answeredOnce = false;

  // A laptop that slept stops one clock, a clock that was set moves the other:
  // the one that went further counts.
  function clocks() { return { running: performance.now(), wall: Date.now() }; }
  function elapsed() { return Math.max(performance.now() - since.running, Date.now() - since.wall); }

  async function post(path, fields = {}) {
    const answer = await fetch(path, {
      method: "POST", body: new URLSearchParams(fields), credentials: "same-origin", cache: "no-store", redirect: "error",
    });
    return answer.json();
  }

  // Asks how the session stands. Questions that overlap share one answer.
  function ask() {
    asking ??= post("/login/window/state").then(apply).catch(() => "unknown").finally(() => { asking = null; asked = performance.now(); });
    return asking;
  }

  function apply(answer) {
    switch (answer.standing) {
      case "live":
        if (answer.person !== person) { empty("/apps"); break; }
        secret = answer.secret;
        left = { idle: answer.idleLeft, warn: answer.warnLeft, total: answer.totalLeft };
        since = clocks();
        uncover();
        break;
      case "lapsed": secret ? cover(false) : empty("/login?next=" + here()); break;
      case "login": cover(true); break;
      case "over": empty("/login?next=" + here()); break;
    }
    return answer.standing;
  }

  function here() { return encodeURIComponent(location.pathname + location.search); }

  function cover(fullLogin) {
    form.hidden = fullLogin;
    anew.hidden = !fullLogin;
    if (soon.open) soon.close();
    if (covered) return;
    covered = true;
    document.documentElement.classList.add("covered");
    form.reset();
    complaint.textContent = "";
    expired.showModal();
  }

  function uncover() {
    if (covered) others.postMessage("changed");
    covered = false;
    document.documentElement.classList.remove("covered");
    form.reset();
    if (expired.open) expired.close();
    if (soon.open && elapsed() < left.warn) soon.close();
  }

  // Nothing of this page stays on the screen, or comes back with the Back button.
  function empty(to) {
    secret = null;
    document.body.replaceChildren();
    location.replace(to);
  }

  function look() {
    const gone = elapsed();
    if (gone >= left.idle || gone >= left.total) {
      cover(gone >= left.total);
      if (!answeredOnce) { answeredOnce = true; ask(); }
      return;
    }
    answeredOnce = false;
    if (gone >= left.warn) return warn(left.idle - gone);
    if (!document.hidden && performance.now() - asked > askEvery) ask();
  }

  async function warn(remaining) {
    if (!soon.open && !covered) {
      await ask(); // another tab may have kept the session alive
      if (covered || elapsed() < left.warn) return;
      soon.showModal();
    }
    tell(Math.ceil(remaining / 1000));
  }

  // The number is shown at each second, and spoken at two minutes, at one, and
  // at twenty seconds.
  function tell(seconds) {
    const spoken = soon.querySelector(".spoken");
    soon.querySelector(".left").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    const words = seconds > 60 ? `${spoken.dataset.minutes} ${Math.ceil(seconds / 60)}`
      : seconds > 20 ? `${spoken.dataset.minutes} 1` : `${spoken.dataset.seconds} 20`;
    if (spoken.textContent !== words) spoken.textContent = words;
  }

  async function stay() {
    const standing = await post("/login/window/stay").then(apply).catch(() => ask());
    if (standing === "live") { soon.close(); others.postMessage("changed"); }
  }

  soon.querySelector("[data-stay]").addEventListener("click", stay);
  soon.addEventListener("cancel", (event) => { event.preventDefault(); stay(); });
  expired.addEventListener("cancel", (event) => event.preventDefault());
  expired.addEventListener("close", () => { if (covered) expired.showModal(); }); // a second Escape does not ask

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    const field = form.elements.password, button = form.querySelector("button");
    if (button.disabled) return;
    button.disabled = true;
    complaint.textContent = "";
    try {
      const answer = await post("/login/window", { password: field.value, secret });
      apply(answer);
      complaint.textContent = answer.text ?? "";
    } catch {
      complaint.textContent = complaint.dataset.unreachable;
    }
    button.disabled = false;
    if (covered) { field.value = ""; field.focus(); }
  });

  // Before a link is followed or a form is sent the session is asked for. When
  // it has lapsed the dialog comes first, and the person presses again.
  const passing = new WeakSet();
  document.addEventListener("submit", (event) => {
    const sent = event.target;
    if (passing.delete(sent) || expired.contains(sent) || sent.getAttribute("action") === "/logout") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const submitter = event.submitter;
    beforeLeaving(() => { passing.add(sent); sent.requestSubmit(submitter); });
  }, true);
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    if (link.target || link.hasAttribute("download") || link.origin !== location.origin || isWithinPage(link)) return;
    event.preventDefault();
    beforeLeaving(() => location.assign(link.href));
  });

  function isWithinPage(link) {
    return link.hash && link.pathname === location.pathname && link.search === location.search;
  }

  let leaving = false;
  async function beforeLeaving(go) {
    if (leaving) return;
    leaving = true;
    const standing = await ask();
    leaving = false;
    if (standing === "live" || standing === "unknown") go();
  }

  others.addEventListener("message", ask);
  for (const moment of ["focus", "online"]) addEventListener(moment, ask);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  addEventListener("pagehide", () => { secret = null; });
  asked = performance.now();
  setInterval(look, 1000);
}
