// Pure functions on {nodes, edges}: no React, no DOM.
import { Graph, layout as dagreLayout } from "@dagrejs/dagre"

export const NODE_WIDTH = 184
export const NODE_HEIGHT = 60
export const GAP_X = 44
const GAP_Y = 34
const HISTORY = 100

/** Whether a way from -> ... -> to exists. */
export function reaches(edges, from, to) {
  const next = new Map()
  for (const { source, target } of edges) next.set(source, [...(next.get(source) || []), target])
  const stack = [from]
  const seen = new Set()
  while (stack.length) {
    const id = stack.pop()
    if (id === to) return true
    if (seen.has(id)) continue
    seen.add(id)
    stack.push(...(next.get(id) || []))
  }
  return false
}

/** Why source -> target can't be drawn, or "" if it can. */
export function refusal(nodes, edges, source, target) {
  if (source === target) return "A step can't feed itself."
  if (edges.some(e => e.source === source && e.target === target)) return "They are connected already."
  if (reaches(edges, target, source)) return "That would make a circle."
  const to = nodes.find(n => n.id === target)
  if (to?.data.inputs === 0) return "A step that extracts takes no input."
  return ""
}

/** Left-to-right positions by layers: {id: {x, y}}. */
export function layered(nodes, edges) {
  const graph = new Graph()
  graph.setGraph({ rankdir: "LR", nodesep: GAP_Y, ranksep: GAP_X, marginx: 0, marginy: 0 })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const node of nodes) graph.setNode(node.id, { width: NODE_WIDTH, height: NODE_HEIGHT })
  for (const edge of edges) graph.setEdge(edge.source, edge.target)
  dagreLayout(graph)
  return Object.fromEntries(nodes.map(({ id }) => {
    const { x, y } = graph.node(id)
    return [id, { x: Math.round(x - NODE_WIDTH / 2), y: Math.round(y - NODE_HEIGHT / 2) }]
  }))
}

/** `base` if free, else base_2, base_3, ... */
export function freeId(base, taken) {
  const stem = base.replace(/_\d+$/, "")
  if (!taken.has(base)) return base
  let n = 2
  while (taken.has(`${stem}_${n}`)) n += 1
  return `${stem}_${n}`
}

/** A place near (x, y) that no node covers. */
export function freeSpot(nodes, x, y) {
  const covered = (px, py) => nodes.some(n =>
    Math.abs(n.position.x - px) < NODE_WIDTH + 12 && Math.abs(n.position.y - py) < NODE_HEIGHT + 12)
  let spot = { x, y }
  for (let i = 1; covered(spot.x, spot.y) && i < 60; i += 1) spot = { x, y: y + i * (NODE_HEIGHT + GAP_Y) }
  return { x: Math.round(spot.x), y: Math.round(spot.y) }
}

/** Undo and redo as two stacks of snapshots. */
export class History {
  constructor() { this.past = []; this.future = [] }

  push(snapshot) { this.past = [...this.past, snapshot].slice(-HISTORY); this.future = [] }

  undo(now) { return this.past.length ? (this.future.push(now), this.past.pop()) : null }

  redo(now) { return this.future.length ? (this.past.push(now), this.future.pop()) : null }

  clear() { this.past = []; this.future = [] }
}
