// Where the canvas looks at first, and what a step is called aloud: pure functions.
import { NODE_HEIGHT, NODE_WIDTH } from "./graph.js"

export const READABLE = 0.64                       // a step's name of 14 px is 9 px then
const START = 0.7                                  // where not all can be seen, what is seen may be a little larger
const STATES = { pending: "waiting", running: "running", success: "done", failed: "failed", skipped: "skipped", cached: "cached" }
export const STALE = "Changed since the last run, so these figures no longer fit"

/** What is free of panels around the graph, in px. */
export const roomOf = (readonly, palette) => ({ left: palette ? palette : readonly ? 60 : 12, right: palette ? 28 : 12, top: readonly ? 24 : 56, bottom: palette ? 28 : 24 })

/** The same as React Flow wants it. */
export const padding = room => Object.fromEntries(Object.entries(room).map(([side, px]) => [side, `${px}px`]))

/** {x, y, zoom} with all steps in sight if they can be read so, else the first of them (or the chosen one); `whole` says which. */
export function opening(nodes, size, room, { chosen, least }) {
  if (!nodes.length || !size.width || !size.height) return { x: 0, y: 0, zoom: 1, whole: true }
  const xs = nodes.map(n => n.position.x), ys = nodes.map(n => n.position.y)
  const box = { x: Math.min(...xs), y: Math.min(...ys) }
  box.width = Math.max(...xs) + NODE_WIDTH - box.x
  box.height = Math.max(...ys) + NODE_HEIGHT - box.y
  const free = { width: size.width - room.left - room.right, height: size.height - room.top - room.bottom }
  const fitting = Math.min(free.width / box.width, free.height / box.height)
  const zoom = fitting >= least ? Math.min(1, fitting) : START
  const at = (nodes.find(n => n.id === chosen) ?? reading(nodes)[0]).position      // a corner of the whole may hold no step
  const place = (start, length, room, gap, wish) => {
    if (length * zoom <= room) return gap + (room - length * zoom) / 2 - start * zoom
    const first = gap - start * zoom, last = first - (length * zoom - room)
    return wish == null ? first : Math.max(last, Math.min(first, gap + room / 2 - wish * zoom))
  }
  const isFar = ((at.x + NODE_WIDTH - box.x) * zoom > free.width || (at.y + NODE_HEIGHT - box.y) * zoom > free.height)
  return {
    x: place(box.x, box.width, free.width, room.left, isFar ? at.x + NODE_WIDTH / 2 : null),
    y: place(box.y, box.height, free.height, room.top, isFar ? at.y + NODE_HEIGHT / 2 : null),
    zoom, whole: fitting >= least,
  }
}

/** The steps as they are read: column by column from the left, from the top within one. */
export function reading(nodes) {
  const columns = new Map()
  let start = -Infinity, column = 0
  for (const n of [...nodes].sort((a, b) => a.position.x - b.position.x)) {
    if (n.position.x - start >= NODE_WIDTH / 2) { start = n.position.x; column += 1 }
    columns.set(n.id, column)
  }
  return [...nodes].sort((a, b) => columns.get(a.id) - columns.get(b.id) || a.position.y - b.position.y || a.position.x - b.position.x)
}

/** Whether a box of the graph lies within what is free of panels. */
export const isInSight = (box, { x, y, zoom }, size, room) =>
  box.x * zoom + x >= room.left && (box.x + box.width) * zoom + x <= size.width - room.right
  && box.y * zoom + y >= room.top && (box.y + box.height) * zoom + y <= size.height - room.bottom

/** A step in words, for those who hear it. */
export function spoken(data) {
  const problems = (data.problems || []).length
  return [data.name, data.type, data.status && (STATES[data.status] || data.status), data.rows, data.stale && "changed since", data.change,
    problems && `${problems} ${problems === 1 ? "problem" : "problems"}`].filter(Boolean).join(", ")
}
