// Steps that are copied, with what connects them.
import { useRef } from "react"
import { asEdge, chosenOf } from "./elements.js"
import { freeId, NODE_HEIGHT } from "./graph.js"

const OFFSET = 36                      // of a copy from what it was made of, and of the next copy from that one

export function useClipboard({ graph, focus, say }) {
  const clipboard = useRef(null)

  function copy() {                    // whether there was something to copy
    const chosen = chosenOf(graph.live.current.nodes)
    if (!chosen.length) return false
    const ids = new Set(chosen.map(n => n.id))
    clipboard.current = { nodes: chosen, edges: graph.live.current.edges.filter(e => ids.has(e.source) && ids.has(e.target)), times: 0 }
    say(chosen.length === 1 ? "Copied 1 step" : `Copied ${chosen.length} steps`)
    return true
  }

  function paste() {
    const board = clipboard.current
    if (!board) return
    board.times += 1
    const now = graph.live.current
    const taken = new Set(now.nodes.map(n => n.id))
    const renamed = new Map()
    const fresh = board.nodes.map(n => {
      const id = freeId(n.id, taken)
      taken.add(id)
      renamed.set(n.id, id)
      return copied(n, id, board.times)
    })
    graph.change({
      nodes: [...now.nodes.map(n => ({ ...n, selected: false })), ...fresh],
      edges: [...now.edges, ...board.edges.map(e => asEdge({ source: renamed.get(e.source), target: renamed.get(e.target) }))],
    })
    focus.onStep(fresh[0].id)          // the next key is for the copy
  }

  function cut() {
    const isCopied = copy()
    if (isCopied) graph.remove()
    return isCopied
  }

  return { copy, cut, paste, duplicate: () => { if (copy()) paste() } }
}

function copied(node, id, times) {
  const { problems, status, rows, time, ...look } = node.data      // those are the original's
  const position = { x: node.position.x + OFFSET * times, y: node.position.y + (NODE_HEIGHT + OFFSET / 2) * times }
  return { ...node, id, position, selected: true, madeFrom: { copy_of: node.id }, data: { ...look, id, name: id } }
}
