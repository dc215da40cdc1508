// Where columns come from and go: steps as cards, their columns as lists, lines between columns; one column's whole way at a click.
import style from "./lineage.css"

const WIDE = 184, GAP = 56, ROW = 22, HEAD = 34, FEW = 8, BETWEEN = 22, MARGIN = 24
const mounted = new WeakMap()
const key = (step, column) => `${step}\u0000${column}`

function element(tag, className, text) {
  const made = document.createElement(tag)
  if (className) made.className = className
  if (text != null) made.textContent = text
  return made
}

/** Columns by key, with the keys of those above and below them. */
function indexed(steps) {
  const nodes = new Map()
  const spelled = new Map()
  for (const step of steps) for (const column of step.columns) {
    nodes.set(key(step.id, column.name), { step: step.id, name: column.name, up: [], down: [] })
    spelled.set(key(step.id, column.name.toLowerCase()), key(step.id, column.name))
  }
  for (const step of steps) for (const column of step.columns) for (const origin of column.origins) {
    const above = spelled.get(key(origin.step, origin.column.toLowerCase()))
    if (!above) continue
    nodes.get(key(step.id, column.name)).up.push(above)
    nodes.get(above).down.push(key(step.id, column.name))
  }
  return nodes
}

function reached(nodes, start, way) {
  const seen = new Set([start]), next = [start]
  while (next.length) for (const other of nodes.get(next.pop())[way]) if (!seen.has(other)) { seen.add(other); next.push(other) }
  return seen
}

/** Every step's column of cards: one further right than the furthest of what it needs. */
function depths(steps) {
  const found = new Map()
  for (const step of steps) found.set(step.id, Math.max(-1, ...step.needs.map(need => found.get(need) ?? -1)) + 1)
  const users = new Map()
  for (const step of steps) for (const need of step.needs) users.set(need, Math.min(users.get(need) ?? Infinity, found.get(step.id)))
  for (const step of steps) if (!step.needs.length && users.has(step.id)) found.set(step.id, users.get(step.id) - 1)  // sources stand beside what takes them
  return found
}

function shownColumns(step, place) {
  if (place.open.has(step.id)) return step.columns
  if (!place.way) return step.columns.slice(0, step.columns.length > FEW + 1 ? FEW : FEW + 1)
  return step.columns.filter(column => place.way.has(key(step.id, column.name)))
}

function heightOf(step, columns) {
  const rest = step.columns.length - columns.length
  return HEAD + columns.length * ROW + (rest > 0 ? ROW : 0) + (step.unknown ? 40 : 0) + 2
}

/** Places of cards, and the middle of each column's row. */
function arranged(place) {
  const { steps } = place.data
  const depth = depths(steps)
  const layers = []
  for (const step of steps) (layers[depth.get(step.id)] ||= []).push(step)
  const cards = new Map(), rows = new Map()
  layers.forEach((layer, level) => {
    const wanted = step => {
      const above = step.needs.map(need => cards.get(need)).filter(Boolean)
      return above.length ? above.reduce((sum, card) => sum + card.y, 0) / above.length : Infinity
    }
    const sorted = layer.map((step, place) => ({ step, place, y: wanted(step) })).sort((a, b) => a.y - b.y || a.place - b.place)
    let y = MARGIN
    for (const { step } of sorted) {
      const columns = shownColumns(step, place)
      const card = { x: MARGIN + level * (WIDE + GAP), y, height: heightOf(step, columns), columns, step }
      cards.set(step.id, card)
      columns.forEach((column, number) => rows.set(key(step.id, column.name), { x: card.x, y: y + HEAD + number * ROW + ROW / 2 }))
      y += card.height + BETWEEN
    }
  })
  return { cards, rows }
}

function curve(x1, y1, x2, y2) {
  const bend = Math.max(24, (x2 - x1) / 2)
  return `M${x1},${y1}C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`
}

function drawLines(place, cards, rows) {
  const parts = []
  for (const { step, x, y } of cards.values()) for (const need of step.needs) {
    const from = cards.get(need)
    if (from) parts.push(`<path class="step" d="${curve(from.x + WIDE, from.y + HEAD / 2, x, y + HEAD / 2)}"/>`)
  }
  const lit = []
  for (const [id, at] of rows) for (const above of place.nodes.get(id).up) {
    const from = rows.get(above)
    if (!from) continue
    const on = place.way?.has(id) && place.way.has(above)
    if (on) lit.push(`<path class="on" d="${curve(from.x + WIDE, from.y, at.x, at.y)}"/>`)
    else if (!place.way) parts.push(`<path d="${curve(from.x + WIDE, from.y, at.x, at.y)}"/>`)
  }
  place.svg.innerHTML = parts.join("") + lit.join("")
}

function drawCard(place, card) {
  const { step, columns } = card
  const box = element("div", `card type-${step.type}`)
  box.dataset.step = step.id
  Object.assign(box.style, { left: `${card.x}px`, top: `${card.y}px`, width: `${WIDE}px`, height: `${card.height}px` })
  const head = element("div", "head")
  head.append(element("i"), element("b", "", step.name || step.id))
  if (step.place) head.append(element("small", "", step.place.split("/").pop()))
  head.title = [step.name || step.id, step.place].filter(Boolean).join(": ")
  box.append(head)
  if (step.unknown) box.append(Object.assign(element("p", "why", step.unknown), { title: step.unknown }))
  for (const column of columns) box.append(drawColumn(place, step, column))
  const rest = step.columns.length - columns.length
  if (rest > 0) {
    const more = element("button", "more", columns.length ? `+ ${rest} more` : `${rest} columns`)
    more.addEventListener("click", () => { place.open.add(step.id); render(place) })
    box.append(more)
  }
  const touched = !place.way || step.columns.some(column => place.way.has(key(step.id, column.name)))
  box.classList.toggle("off", !touched)
  box.classList.toggle("bare", !columns.length && rest <= 0)
  return box
}

const MARKS = { expression: "ƒ", aggregate: "Σ", window: "ƒ", joined: "⋈", renamed: "Aa", changed: "Δ", query: "SQL", unknown: "?" }

function drawColumn(place, step, column) {
  const id = key(step.id, column.name)
  const row = element("button", "col")
  row.append(element("span", "", column.name))
  if (MARKS[column.how]) row.append(element("em", "", MARKS[column.how]))
  row.title = [column.name, column.type, ...column.texts].filter(Boolean).join("\n")
  row.setAttribute("aria-pressed", String(place.picked === id))
  row.classList.toggle("on", Boolean(place.way?.has(id)))
  row.classList.toggle("picked", place.picked === id)
  row.addEventListener("click", () => pick(place, place.picked === id ? null : id))
  return row
}

function pick(place, id) {
  place.picked = id && place.nodes.has(id) ? id : null
  place.way = place.picked ? new Set([...reached(place.nodes, id, "up"), ...reached(place.nodes, id, "down")]) : null
  place.open = new Set()
  render(place)
  const node = place.nodes.get(place.picked)
  const chosen = node ? { step: node.step, column: node.name } : null
  place.sent = JSON.stringify(chosen)
  place.keep("selected", chosen)
}

function listed(title, legs, draw) {
  if (!legs.length) return []
  const list = element("ul")
  for (const leg of legs) { const item = element("li"); draw(item, leg); list.append(item) }
  return [element("h4", "", title), list]
}

function drawSide(place) {
  const node = place.nodes.get(place.picked)
  const { trail } = place.data
  if (!node) {
    const hint = element("p", "", "Click a column to see where it comes from, through which expressions, and where it goes.")
    const legend = Object.entries({ ƒ: "an expression", Σ: "an aggregate", "⋈": "joined from another step", Aa: "a new name", Δ: "changed values", "?": "unknown from here" })
    place.side.replaceChildren(element("h3", "", "Columns"), hint, ...listed("Marks", legend, (item, [mark, word]) => item.append(element("code", "", mark), ` ${word}`)))
    return
  }
  const parts = [element("h3", "", node.name), element("p", "", `in ${node.step}`)]
  if (trail && trail.step === node.step && trail.column === node.name) {
    parts[1].textContent = `in ${node.step}${trail.type ? `, ${trail.type}` : ""}`
    const stepped = (item, leg) => item.append(leg.text, element("small", "", leg.column && leg.column !== node.name ? `${leg.step}, ${leg.column}` : leg.step))
    const coded = (item, leg) => item.append(element("code", "", leg.text), element("small", "", `${leg.step}, ${leg.column}`))
    parts.push(...listed("Comes from", trail.sources, (item, leg) => item.append(element("b", "", leg.column), element("small", "", leg.text))))
    parts.push(...listed("Through", trail.through, coded))
    parts.push(...listed("Rows on the way", trail.rows, stepped))
    parts.push(...listed("Goes to", trail.goes, stepped))
    if (!trail.goes.length) parts.push(element("h4", "", "Goes to"), element("p", "", "No rule, sink or model uses it."))
    if (trail.unknown.length) parts.push(element("p", "warn", `Unknown beyond: ${trail.unknown.join(", ")}`))
  }
  place.side.replaceChildren(...parts)
}

function render(place) {
  const { cards, rows } = arranged(place)
  const all = [...cards.values()]
  const width = Math.max(0, ...all.map(card => card.x + WIDE)) + MARGIN
  const height = Math.max(0, ...all.map(card => card.y + card.height)) + MARGIN
  place.size = { width, height }
  Object.assign(place.sheet.style, { width: `${width}px`, height: `${height}px` })
  place.host.classList.toggle("chosen", Boolean(place.picked))
  place.clear.disabled = !place.picked
  place.sheet.replaceChildren(place.svg, ...all.map(card => drawCard(place, card)))
  drawLines(place, cards, rows)
  place.cards = cards
  drawSide(place)
  zoomed(place, place.zoom)
}

function zoomed(place, zoom) {
  place.zoom = Math.min(1.4, Math.max(0.3, zoom))
  place.sheet.style.transform = `scale(${place.zoom})`
  place.pad.style.width = `${place.size.width * place.zoom}px`
  place.pad.style.height = `${place.size.height * place.zoom}px`
}

function fit(place) {
  const { clientWidth } = place.scroll
  if (clientWidth) zoomed(place, Math.min(1, Math.max(0.74, clientWidth / place.size.width)))
}

/** The column whose name, or step.name, is nearest to what was typed. */
function looked(place, text) {
  const wanted = text.trim().toLowerCase()
  if (!wanted) return null
  const named = [...place.nodes].map(([id, node]) => [id, node.name.toLowerCase(), `${node.step}.${node.name}`.toLowerCase()])
  const test = [([, name, full]) => full === wanted || name === wanted, ([, name]) => name.startsWith(wanted), ([, , full]) => full.includes(wanted)]
  for (const one of test) { const found = named.find(one); if (found) return found[0] }
  return null
}

function show(place) {
  const node = place.nodes.get(place.picked)
  const card = node && place.cards.get(node.step)
  if (!card) return
  place.scroll.scrollTo({ left: (card.x + WIDE / 2) * place.zoom - place.scroll.clientWidth / 2, top: card.y * place.zoom - 60 })
}

function listen(place) {
  const { scroll } = place
  place.find.addEventListener("keydown", event => {
    if (event.key !== "Enter") return
    const id = looked(place, place.find.value)
    if (id) { pick(place, id); show(place) }
  })
  place.clear.addEventListener("click", () => pick(place, null))
  place.host.addEventListener("keydown", event => { if (event.key === "Escape" && place.picked) pick(place, null) })
  place.smaller.addEventListener("click", () => zoomed(place, place.zoom - 0.15))
  place.larger.addEventListener("click", () => zoomed(place, place.zoom + 0.15))
  let held = null
  scroll.addEventListener("pointerdown", event => {
    if (event.target.closest(".card") || event.button) return
    held = { x: event.clientX + scroll.scrollLeft, y: event.clientY + scroll.scrollTop }
    scroll.setPointerCapture(event.pointerId)
    scroll.classList.add("is-moved")
  })
  scroll.addEventListener("pointermove", event => { if (held) scroll.scrollTo(held.x - event.clientX, held.y - event.clientY) })
  const drop = () => { held = null; scroll.classList.remove("is-moved") }
  scroll.addEventListener("pointerup", drop)
  scroll.addEventListener("pointercancel", drop)
}

function built(parentElement) {
  const made = element("style")
  made.textContent = style
  const host = element("div", "lineage"), main = element("div", "main"), bar = element("div", "bar"), scroll = element("div", "scroll")
  const find = Object.assign(element("input"), { type: "search", placeholder: "Find a column" })
  find.setAttribute("aria-label", "Find a column")
  const clear = element("button", "", "Show all"), smaller = element("button", "", "−"), larger = element("button", "", "+")
  smaller.setAttribute("aria-label", "Smaller")
  larger.setAttribute("aria-label", "Larger")
  bar.append(find, clear, element("span", "grow"), smaller, larger)
  const pad = element("div"), sheet = element("div", "sheet"), side = element("div", "side")
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg")
  svg.setAttribute("width", "100%")
  svg.setAttribute("height", "100%")
  pad.append(sheet)
  scroll.append(pad)
  main.append(bar, scroll)
  host.append(main, side)
  parentElement.append(made, host)
  return { style: made, host, bar, scroll, find, clear, smaller, larger, pad, sheet, svg, side, zoom: 1, open: new Set(), picked: null, way: null, shown: "" }
}

export default function draw({ data, parentElement, setStateValue }) {
  let place = mounted.get(parentElement)
  const isNew = !place
  if (isNew) {
    place = built(parentElement)
    listen(place)
    mounted.set(parentElement, place)
  }
  place.keep = setStateValue
  place.data = data
  place.host.style.height = `max(${data.height}px, calc(100vh - 190px))`
  const graph = JSON.stringify(data.steps)
  if (graph !== place.shown) {
    place.shown = graph
    place.nodes = indexed(data.steps)
    const id = data.selected ? key(data.selected.step, data.selected.column) : null
    place.picked = id && place.nodes.has(id) ? id : null
    place.way = place.picked ? new Set([...reached(place.nodes, id, "up"), ...reached(place.nodes, id, "down")]) : null
    render(place)
    if (isNew) requestAnimationFrame(() => { fit(place); if (place.picked) show(place) })
  } else drawSide(place)
  return () => { place.host.remove(); place.style.remove(); mounted.delete(parentElement) }
}
