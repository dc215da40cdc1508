// Log lines stay as the reader left them while new ones come: what is unfolded stays so, and who has scrolled up keeps the place.
// A line is copied by its button.
const FOOT = 24
const TO_NEWEST = ".st-key-log_new_lines, .st-key-log_resume, .st-key-log_now"
const state = { open: new Set(), anchor: null }

const logOf = () => document.querySelector(".log")

function anchorOf(log) {
  if (Math.abs(log.scrollTop) < FOOT) return null // at the foot: it follows
  const top = log.getBoundingClientRect().top
  for (const line of log.querySelectorAll("[data-line]")) {
    const offset = line.getBoundingClientRect().top - top
    if (offset < log.clientHeight * 0.6 && offset > 0) return { id: line.dataset.line, offset }
  }
  return null
}

function restore() {
  const log = logOf()
  if (!log || log === state.log) return
  state.log = log
  for (const details of log.querySelectorAll("details")) {
    if (state.open.has(details.closest("[data-line]")?.dataset.line)) details.open = true
  }
  const line = state.anchor && log.querySelector(`[data-line="${CSS.escape(state.anchor.id)}"]`)
  if (line) log.scrollTop += line.getBoundingClientRect().top - log.getBoundingClientRect().top - state.anchor.offset
}

function textOf(line) {
  const read = selector => line.querySelector(selector)?.textContent || ""
  const message = line.querySelector(".msg").cloneNode(true)
  for (const summary of message.querySelectorAll("summary")) summary.replaceWith("\n")
  return [line.querySelector("time").dateTime, read(".lv"), read(".src"), message.textContent].join(" ")
}

async function copy(button) {
  const text = textOf(button.closest("[data-line]"))
  try {
    await navigator.clipboard.writeText(text)
  } catch { // without HTTPS, other than on this machine, the browser knows only the old way
    const area = document.createElement("textarea")
    area.value = text
    document.body.append(area)
    area.select()
    document.execCommand("copy")
    area.remove()
  }
  button.classList.add("is-done")
  setTimeout(() => button.classList.remove("is-done"), 1200)
}

export function watch() {
  const onToggle = event => {
    const line = event.target.closest?.(".log [data-line]")
    if (line) state.open[event.target.open ? "add" : "delete"](line.dataset.line)
  }
  const onScroll = event => { if (event.target.classList?.contains("log")) state.anchor = anchorOf(event.target) }
  const onClick = event => {
    const button = event.target.closest?.(".log .copy")
    if (button) copy(button)
    if (event.target.closest?.(TO_NEWEST)) state.anchor = null
  }
  const observer = new MutationObserver(restore)
  observer.observe(document.querySelector("[data-testid=stMain]") || document.body, { childList: true, subtree: true })
  document.addEventListener("toggle", onToggle, true)
  document.addEventListener("scroll", onScroll, true)
  document.addEventListener("click", onClick)
  restore()
  return () => {
    observer.disconnect()
    document.removeEventListener("toggle", onToggle, true)
    document.removeEventListener("scroll", onScroll, true)
    document.removeEventListener("click", onClick)
  }
}
