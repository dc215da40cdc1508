// Python's steps and edges as React Flow wants them: pure functions.
import { MarkerType } from "@xyflow/react"
import { layered } from "./graph.js"
import { spoken } from "./view.js"

const ARROW = { type: MarkerType.ArrowClosed, width: 16, height: 16 }

export const asNode = n => ({ id: n.id, type: "step", position: { x: n.x, y: n.y }, data: n, madeFrom: n.from, ariaLabel: spoken(n) })

export const asEdge = ({ source, target, change }) => ({
  id: `${source}->${target}`, source, target, markerEnd: { ...ARROW, ...(change ? { color: `var(--${change})` } : {}) },
  ariaLabel: `${source} to ${target}${change ? `, ${change}` : ""}`, ...(change ? { className: `edge-${change}` } : {}),
})

/** All of it, laid out in layers unless each step has a place. */
export function graphOf(data) {
  const nodes = data.nodes.map(asNode)
  const edges = data.edges.map(asEdge)
  if (data.nodes.every(n => n.x != null && n.y != null)) return { nodes, edges }
  const places = layered(nodes, edges)
  return { nodes: nodes.map(n => ({ ...n, position: places[n.id] })), edges }
}

/** A step with what Python says of it now. */
export function dressed(node, looks) {
  const data = { ...node.data, ...looks }
  return { ...node, data, ariaLabel: spoken(data) }
}

export const chosenOf = nodes => nodes.filter(n => n.selected)

/** The same steps, only that one selected. */
export const withChosen = (nodes, id) => nodes.map(n => (!!n.selected === (n.id === id) ? n : { ...n, selected: n.id === id }))

/** The same edges, none selected. */
export const withoutChosen = edges => (edges.some(e => e.selected) ? edges.map(e => ({ ...e, selected: false })) : edges)
