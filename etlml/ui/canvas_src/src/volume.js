// Log lines over time, stacked by level: a drag or a click chooses a stretch of time, as do the arrow keys and Enter.
import { watch } from "./loglines.js"
import style from "./volume.css"

const LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
const mounted = new WeakMap()

function element(tag, className, text) {
  const made = document.createElement(tag)
  if (className) made.className = className
  if (text !== undefined) made.textContent = text
  return made
}

const total = counts => LEVELS.reduce((sum, level) => sum + (counts[level] || 0), 0)

function words(data) {
  const days = data.until - data.since > 36 * 3600e3
  const zone = { timeZone: data.zone }
  const clock = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", ...(data.width < 60e3 ? { second: "2-digit" } : {}) }
  return new Intl.DateTimeFormat("en-GB", { ...zone, ...clock, ...(days ? { day: "numeric", month: "short" } : {}) })
}

const begin = (data, index) => data.since + index * data.width
const end = (data, index) => Math.min(begin(data, index) + data.width, data.until)

function drawTip(place, index) {
  place.tip?.remove()
  for (const bar of place.bars.children) bar.classList.toggle("is-at", bar.dataset.at === String(index))
  if (index === null) return
  const { data } = place
  const counts = data.buckets[index] || {}
  const tip = element("div", "tip")
  tip.append(element("b", "", `${place.words.format(begin(data, index))} – ${place.words.format(end(data, index))}`))
  for (const level of [...LEVELS].reverse()) {
    if (counts[level]) tip.append(element("small", `of-${level}`, `${counts[level].toLocaleString("en")} ${level.toLowerCase()}`))
  }
  if (!total(counts)) tip.append(element("div", "", "no lines"))
  tip.style.left = `${Math.max(9, Math.min(91, (100 * (index + 0.5)) / data.count))}%`
  place.host.append(tip)
  place.tip = tip
}

function drawChosen(place, from, to) {
  place.chosen?.remove()
  const { count } = place.data
  const chosen = element("div", "chosen")
  chosen.style.left = `${(100 * Math.min(from, to)) / count}%`
  chosen.style.width = `${(100 * (Math.abs(to - from) + 1)) / count}%`
  place.bars.append(chosen)
  place.chosen = chosen
}

function choose(place, from, to) {
  const [first, last] = [Math.min(from, to), Math.max(from, to)]
  place.send("zoom", { since: Math.round(begin(place.data, first)), until: Math.round(end(place.data, last)) })
}

function bucketAt(place, event) {
  const box = place.bars.getBoundingClientRect()
  const index = Math.floor(((event.clientX - box.left) / box.width) * place.data.count)
  return Math.max(0, Math.min(place.data.count - 1, index))
}

function listen(place) {
  const { host, bars } = place
  bars.addEventListener("pointerdown", event => {
    if (event.button !== 0) return
    bars.setPointerCapture?.(event.pointerId)
    place.from = bucketAt(place, event)
    drawChosen(place, place.from, place.from)
  })
  bars.addEventListener("pointermove", event => {
    place.at = bucketAt(place, event)
    drawTip(place, place.at)
    if (place.from !== null) drawChosen(place, place.from, place.at)
  })
  bars.addEventListener("pointerup", event => {
    if (place.from === null) return
    choose(place, place.from, bucketAt(place, event))
    place.from = null
    place.chosen?.remove()
  })
  bars.addEventListener("pointercancel", () => { place.from = null; place.chosen?.remove() })
  bars.addEventListener("pointerleave", () => { if (place.from === null) { place.at = null; drawTip(place, null) } })
  host.addEventListener("keydown", event => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
    if (step) {
      place.at = Math.max(0, Math.min(place.data.count - 1, (place.at ?? (step > 0 ? -1 : place.data.count)) + step))
      drawTip(place, place.at)
    } else if (event.key === "Enter" && place.at !== null) choose(place, place.at, place.at)
    else return
    event.preventDefault()
  })
  host.addEventListener("blur", () => { place.at = null; drawTip(place, null) })
}

function render(place) {
  const { data } = place
  place.words = words(data)
  const highest = Math.max(1, ...Object.values(data.buckets).map(total))
  const drawn = []
  for (let index = 0; index < data.count; index++) {
    const bar = element("span", end(data, index) <= data.counted ? "is-open" : "")
    bar.dataset.at = index
    for (const level of LEVELS) {
      const lines = (data.buckets[index] || {})[level]
      if (!lines) continue
      const part = element("i", `of-${level}`)
      part.style.height = `${(100 * lines) / highest}%`
      bar.append(part)
    }
    drawn.push(bar)
  }
  place.bars.replaceChildren(...drawn)
  const ticks = [0, 0.25, 0.5, 0.75, 1].map(share => element("span", "", place.words.format(data.since + share * (data.until - data.since))))
  place.axis.replaceChildren(...ticks)
  if (place.from !== null) drawChosen(place, place.from, place.at ?? place.from)
  if (place.at !== null) drawTip(place, Math.min(place.at, data.count - 1))
}

export default function draw({ data, parentElement, setTriggerValue }) {
  let place = mounted.get(parentElement)
  if (!place) {
    const sheet = element("style")
    sheet.textContent = style
    const host = element("div", "volume")
    host.tabIndex = 0
    host.setAttribute("role", "group")
    host.setAttribute("aria-label", "Lines over time. Arrow keys move, Enter zooms into the time.")
    const bars = element("div", "bars")
    const axis = element("div", "axis")
    host.append(bars, axis)
    parentElement.append(sheet, host)
    place = { host, sheet, bars, axis, from: null, at: null, shown: "" }
    listen(place)
    place.unwatch = watch()
    mounted.set(parentElement, place)
  }
  place.send = setTriggerValue
  const text = JSON.stringify(data)
  if (text !== place.shown) {
    place.shown = text
    place.data = data
    render(place)
  }
  return () => { place.unwatch(); place.host.remove(); place.sheet.remove(); mounted.delete(parentElement) }
}
