// What holds on every page: keys, words for a server that is away, the light or dark to start with next time, the way back.

const PRESS = { "?": "open_shortcuts" }

function isWriting(event) {
  const at = event.composedPath()[0]
  return at instanceof HTMLElement && (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName))
}

function press(key) {
  const button = document.querySelector(`.st-key-${key} button`)
  if (button) button.click()
  return Boolean(button)
}

function focusSearch() {
  const fields = document.querySelectorAll('[data-testid="stMain"] input[type="text"], [data-testid="stMain"] input[type="search"]')
  const field = [...fields].find(one => one.offsetParent && /search|find|text/i.test(`${one.ariaLabel} ${one.placeholder}`))
  if (field) { field.focus(); field.select() }
  return Boolean(field)
}

function focusSoon(selector, tries = 20) {
  const field = document.querySelector(selector)
  if (field) field.focus()
  else if (tries > 0) setTimeout(() => focusSoon(selector, tries - 1), 50)
}

function openSearch() {
  if (!press("open_search")) return false
  focusSoon(".st-key-go_to_q input")
  return true
}

function openFirstHit(event) {
  const inSearch = event.key === "Enter" && event.composedPath()[0]?.closest?.(".st-key-go_to_q")
  const first = inSearch && document.querySelector(".st-key-go_to_hits a")
  if (first) first.click()
  return Boolean(first)
}

// Streamlit takes a text over when the focus leaves its field, and of two things in one moment only the first: Save comes after it.
const TAKEN_OVER_MS = 150, SAVE_TRIES = 20

function saveWhatIsTyped(event) {
  const at = event.composedPath()[0]
  if (!isWriting(event) || !at.closest('[data-testid="stMain"]') || !location.pathname.endsWith("/pipeline")) return false
  at.blur()
  at.focus()
  const save = tries => setTimeout(() => press("save") || tries <= 0 || save(tries - 1), TAKEN_OVER_MS)
  save(SAVE_TRIES)
  return true
}

// So does a button that is pressed right out of a field.
const TEXTS = "input:is([type=text], [type=number], [type=password], [type=search], :not([type])), textarea", SAME_MOMENT_MS = 60
let takenOverAt = -Infinity

function noteTakenOver(event) {
  if (event.composedPath()[0]?.matches?.(TEXTS)) takenOverAt = event.timeStamp
}

function pressAfterTheText(event) {
  const button = event.composedPath().find(one => one instanceof HTMLButtonElement)
  if (!button || event.timeStamp - takenOverAt > SAME_MOMENT_MS) return
  takenOverAt = -Infinity
  event.stopImmediatePropagation()
  event.preventDefault()
  setTimeout(() => button.click(), TAKEN_OVER_MS)
}

function onKey(event) {
  if (openFirstHit(event)) return
  const ctrl = event.ctrlKey || event.metaKey
  if (ctrl && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "s") {
    if (saveWhatIsTyped(event)) { event.preventDefault(); event.stopPropagation() }
    return
  }
  if (ctrl && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
    if (openSearch()) { event.preventDefault(); event.stopPropagation() }
    return
  }
  if (ctrl || event.altKey || event.defaultPrevented || isWriting(event) || document.querySelector('[role="dialog"]')) return
  const inCanvas = event.composedPath().some(one => one.classList?.contains("react-flow"))
  if (inCanvas) return
  if (event.key === "/" && (focusSearch() || openSearch())) event.preventDefault()
  if (event.key in PRESS && press(PRESS[event.key])) event.preventDefault()
}

// In a text of several lines Ctrl+Enter takes over what is typed; it must not run the pipeline as well.
function keepToTheField(event) {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.composedPath()[0]?.tagName === "TEXTAREA") event.stopPropagation()
}

function keepMode(mode, paths) {
  try {
    for (const path of paths) {
      const key = `stActiveTheme-${path}-v2`, value = JSON.stringify(mode)
      if (mode === "System" && localStorage.getItem(key) === null) continue
      if (localStorage.getItem(key) !== value) localStorage.setItem(key, value)
    }
  } catch { /* no storage: the page may flash in the other mode when it is loaded */ }
}

// What Streamlit says while the server does not answer, said for people who know no Streamlit.
const AWAY = {
  "Connection error": "The studio does not answer",
  "Streamlit server is not responding. Are you connected to the internet?":
    "It was stopped, or is being started again. This page goes on by itself once it is back; your drafts are kept.",
}

function sayAway() {
  for (const dialog of document.querySelectorAll('[role="dialog"]')) {
    const texts = document.createTreeWalker(dialog, NodeFilter.SHOW_TEXT)
    while (texts.nextNode()) {
      const words = AWAY[texts.currentNode.data]
      if (words) texts.currentNode.data = words
    }
  }
}

// Dialogs and popovers stand beside Streamlit's app in the page, where only the app is told that it is dark.
function showAllInOneMode() {
  const app = document.querySelector(".stApp")
  if (app) document.documentElement.style.colorScheme = getComputedStyle(app).colorScheme
}

// A second press right after the first would send everything again, and end the page's script half way through the first.
const ACTS = /^stBaseButton-(primary|secondary)/
const LEAFS = '[class*="_older"], [class*="_newer"]'  // through a list one may go fast
let entered = 0

function actsOnPress(one) {
  if (!(one instanceof HTMLButtonElement) || one.closest(LEAFS)) return false
  return ACTS.test(one.dataset.testid ?? "") || one.classList.contains("act")
}

function keepToOneClick(event) {
  if (event.detail > 1 && event.composedPath().some(actsOnPress)) { event.stopPropagation(); event.preventDefault() }
}

function keepToOneEnter(event) {
  if (event.key !== "Enter" || !event.composedPath()[0]?.closest?.("[data-testid=stForm] input")) return
  if (event.timeStamp - entered < 500) { event.stopPropagation(); event.preventDefault() }
  entered = event.timeStamp
}

// Streamlit takes a password over when the focus leaves its field; on the eye inside the field, where Tab would lead, it does not.
function passTheEye(event) {
  const at = event.composedPath()[0]
  if (event.key !== "Tab" || !(at instanceof HTMLInputElement)) return
  const buttons = at.closest('[data-testid="stTextInput"]')?.querySelectorAll("button") ?? []
  for (const one of buttons) if (at.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING) one.tabIndex = -1
}

// While a page is left, Streamlit first changes its parameters in the address, as if that were a place of its own: the way back
// would lead to a run without its id. The page that follows takes this place.
const LEAVING_MS = 700

function keepTheWayBack() {
  if (window.etlmlHistory) return
  window.etlmlHistory = true
  const push = history.pushState.bind(history)
  let changed = -Infinity
  history.pushState = (state, title, url) => {
    const stays = new URL(url, location.href).pathname === location.pathname
    const isLeaving = !stays && performance.now() - changed < LEAVING_MS
    changed = stays ? performance.now() : -Infinity
    isLeaving ? history.replaceState(state, title, url) : push(state, title, url)
  }
}

export default function ({ data }) {
  keepTheWayBack()
  showAllInOneMode()
  window.etlmlOnce?.forEach(([kind, listener]) => document.removeEventListener(kind, listener, true))
  window.etlmlOnce = [["click", keepToOneClick], ["change", noteTakenOver], ["click", pressAfterTheText], ["keydown", keepToOneEnter], ["keydown", passTheEye]]
  window.etlmlOnce.forEach(([kind, listener]) => document.addEventListener(kind, listener, true))
  window.etlmlAway?.disconnect()
  window.etlmlAway = new MutationObserver(() => { showAllInOneMode(); sayAway() })
  window.etlmlAway.observe(document.body, { childList: true })
  if (window.etlmlKeys) document.removeEventListener("keydown", window.etlmlKeys, true)
  window.etlmlKeys = onKey
  document.addEventListener("keydown", onKey, true)
  if (window.etlmlField) document.body.removeEventListener("keydown", window.etlmlField)
  window.etlmlField = keepToTheField
  document.body.addEventListener("keydown", keepToTheField)
  keepMode(data.mode, data.paths)
}
