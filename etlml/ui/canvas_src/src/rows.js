// A list of things: rows that open, state pills, times in the viewer's zone, buttons, choice of several rows.
import style from "./rows.css"

const UNITS = [["year", 31536000], ["month", 2592000], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60]]
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" })
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" })
const mounted = new WeakMap()
const TERMINAL = '<svg viewBox="0 0 16 16" width="15" height="15" fill="none" stroke="currentColor" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><rect x="1.5" y="2.5" width="13" height="11" rx="1.8"/><path d="m4.3 6.2 2 1.9-2 1.9M8.3 10.4h3.2"/></svg>'

/** "3 minutes ago", "in 2 hours", "just now". */
export function ago(iso, now = Date.now()) {
  const seconds = (new Date(iso) - now) / 1000
  for (const [unit, size] of UNITS) if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit)
  if (Math.abs(seconds) < 10) return "just now"
  return relative.format(Math.trunc(seconds), "second")
}

function element(tag, className, text) {
  const made = document.createElement(tag)
  if (className) made.className = className
  if (text != null) made.textContent = text
  return made
}

const word = state => (state ? state[0].toUpperCase() + state.slice(1) : "")
const DRAW = {
  name(cell) {
    const box = element("span", "name")
    if (cell.icon) box.append(element("span", `chip type-${cell.icon}`, cell.mark || ""))
    const texts = element("span", "texts")
    texts.append(element("b", "", cell.text))
    if (cell.sub) texts.append(element("small", "", cell.sub))
    box.append(texts)
    box.title = cell.title || cell.text
    return box
  },
  status(cell) {
    const state = typeof cell === "string" ? cell : cell.text
    const pill = element("span", `pill is-${state}`, cell.label || word(state))
    if (cell.title) pill.title = cell.title
    return pill
  },
  time(cell) {
    const time = element("time", "dim", ago(cell))
    time.dateTime = cell
    time.title = exact.format(new Date(cell))
    return time
  },
  number: cell => element("span", "num", cell),
  text: cell => element("span", "", cell),
  dim: cell => element("span", "dim", cell),
  code: cell => element("code", "", cell),
  tags(cell) {
    const box = element("span", "tags")
    for (const tag of cell) box.append(element("span", "tag", tag))
    return box
  },
  history(cell) {
    const box = element("span", "history")
    for (const run of cell) {
      const bar = element("i", `is-${run.status}`)
      bar.style.height = `${Math.round(30 + 70 * (run.size ?? 1))}%`
      bar.title = run.title || run.status
      box.append(bar)
    }
    return box
  },
  bar(cell) {
    const box = element("span", "meter")
    const track = element("span", "track")
    const fill = element("i", cell.tone ? `tone-${cell.tone}` : "")
    fill.style.width = `${Math.round(100 * cell.value)}%`
    track.append(fill)
    box.append(track, element("span", "num", cell.text))
    return box
  },
}

function drawActions(cell, row, place) {
  const box = element("span", "actions")
  for (const action of cell) {
    const button = element("button", `act ${action.tone || ""}`, action.label)
    button.title = action.title || action.label
    button.disabled = !!action.disabled
    button.addEventListener("click", event => { event.stopPropagation(); place.send("action", { row: row.id, action: action.key }) })
    box.append(button)
  }
  return box
}

/** The row's actions as commands: quiet until the row is pointed at or reached by key. */
function drawCopies(row, place) {
  const cell = element("td", "copies")
  if (!row.copies) return cell
  const button = element("button", "peek")
  button.innerHTML = TERMINAL
  button.title = "Copy as command line, curl or Python"
  button.setAttribute("aria-label", `${button.title}: ${row.cells.name?.text ?? row.id}`)
  button.addEventListener("click", event => { event.stopPropagation(); place.send("action", { row: row.id, action: "copies" }) })
  cell.append(button)
  return cell
}

function drawCell(column, row, place) {
  const cell = element("td", `kind-${column.kind || "text"} ${column.align === "right" || column.kind === "number" ? "right" : ""}`)
  const value = row.cells[column.key]
  if (column.kind === "actions") cell.append(drawActions(value || [], row, place))
  else if (value != null && value !== "") cell.append((DRAW[column.kind] || DRAW.text)(value))
  else if (column.kind !== "name") cell.append(element("span", "none", "–"))
  return cell
}

function drawPick(checked, label, onChange) {
  const box = element("input")
  box.type = "checkbox"
  box.checked = checked
  box.setAttribute("aria-label", label)
  box.addEventListener("click", event => event.stopPropagation())
  box.addEventListener("change", onChange)
  return box
}

function drawRow(row, data, place) {
  const line = element("tr", `${data.opens !== false ? "opens" : ""} ${row.id === data.current ? "is-current" : ""}`)
  line.dataset.id = row.id
  if (data.picks) {
    const cell = element("td", "pick")
    cell.append(drawPick(place.picked.has(row.id), `Choose ${row.id}`, () => {
      place.picked.has(row.id) ? place.picked.delete(row.id) : place.picked.add(row.id)
      place.keep("picked", [...place.picked])
    }))
    line.append(cell)
  }
  line.append(...data.columns.map(column => drawCell(column, row, place)))
  if (data.copies) line.append(drawCopies(row, place))
  if (data.opens !== false) {
    line.tabIndex = 0
    const open = () => place.send("open", row.id)
    line.addEventListener("click", () => { if (!String(place.root.getSelection?.() ?? "")) open() })
    line.addEventListener("keydown", event => {
      if (event.key === "Enter" && event.target === line) open()
      if (event.key === "ArrowDown") line.nextElementSibling?.focus()
      if (event.key === "ArrowUp") line.previousElementSibling?.focus()
    })
  }
  return line
}

function drawHead(data, place) {
  const line = element("tr")
  if (data.picks) {
    const cell = element("th", "pick")
    cell.append(drawPick(data.rows.length > 0 && data.rows.every(r => place.picked.has(r.id)), "Choose all", event => {
      place.picked = new Set(event.target.checked ? data.rows.map(r => r.id) : [])
      place.keep("picked", [...place.picked])
      render(place)
    }))
    line.append(cell)
  }
  for (const column of data.columns) {
    const cell = element("th", column.align === "right" || column.kind === "number" ? "right" : "", column.label)
    if (column.width) cell.style.width = column.width
    line.append(cell)
  }
  if (data.copies) line.append(element("th", "copies"))
  return line
}

function render(place) {
  const { data } = place
  const focused = place.root.activeElement?.closest?.("tr")?.dataset.id
  const table = element("table")
  const head = element("thead")
  const body = element("tbody")
  if (data.head !== false) head.append(drawHead(data, place))
  for (const row of data.rows) body.append(drawRow(row, data, place))
  table.append(head, body)
  place.host.replaceChildren(data.rows.length ? table : element("p", "empty", data.empty || "Nothing here yet."))
  place.host.classList.toggle("is-brief", data.head === false)
  place.host.style.maxHeight = data.height ? `${data.height}px` : ""
  if (focused) [...body.children].find(line => line.dataset.id === focused)?.focus({ preventScroll: true })
}

export default function draw({ data, parentElement, setTriggerValue, setStateValue }) {
  let place = mounted.get(parentElement)
  if (!place) {
    const sheet = element("style")
    sheet.textContent = style
    const host = element("div", "rows")
    parentElement.append(sheet, host)
    place = { host, sheet, root: host.getRootNode(), picked: new Set(), shown: "" }
    place.clock = setInterval(() => { for (const t of host.querySelectorAll("time")) t.textContent = ago(t.dateTime) }, 15000)
    mounted.set(parentElement, place)
  }
  place.send = setTriggerValue
  place.keep = setStateValue
  const text = JSON.stringify(data)
  if (text !== place.shown) {
    place.shown = text
    place.data = data
    if (data.unpick !== place.unpick) { place.unpick = data.unpick; place.picked = new Set() }
    render(place)
  }
  return () => { clearInterval(place.clock); place.host.remove(); place.sheet.remove(); mounted.delete(parentElement) }
}
