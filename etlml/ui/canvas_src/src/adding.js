// Steps from the palette: by click or Enter beside the selected step, or dropped where they are wanted.
import { useRef } from "react"
import { flushSync } from "react-dom"
import { asEdge, asNode, chosenOf } from "./elements.js"
import { freeId, freeSpot, GAP_X, NODE_WIDTH } from "./graph.js"
import { DRAG_TYPE } from "./Palette.jsx"

export function useAdding({ items, host, graph, focus, sight }) {
  const searchRef = useRef(null)

  function beside(parent) {            // or in the middle of what is seen
    if (parent) return { x: parent.position.x + NODE_WIDTH + GAP_X, y: parent.position.y }
    const box = host.getBoundingClientRect()
    return sight.around({ x: box.left + box.width / 2, y: box.top + box.height / 2 })
  }

  function add(item, place) {
    const now = graph.live.current
    const chosen = chosenOf(now.nodes)
    const parent = !place && chosen.length === 1 && item.type !== "extract" ? chosen[0] : null
    const wish = place || beside(parent)
    const spot = freeSpot(now.nodes, wish.x, wish.y)
    const id = freeId(item.id || item.type, new Set(now.nodes.map(n => n.id)))
    const node = asNode({ id, name: id, type: item.type, summary: item.label, inputs: item.type === "extract" ? 0 : 1, ...spot, from: { template: item.key } })
    graph.change({
      nodes: [...now.nodes.map(n => ({ ...n, selected: false })), { ...node, selected: true }],
      edges: parent ? [...now.edges, asEdge({ source: parent.id, target: id })] : now.edges,
    })
    if (!place) sight.afterDrawing(() => sight.frame(parent ? [id, parent.id] : [id]))
  }

  function drop(event) {
    const item = items.find(i => i.key === event.dataTransfer.getData(DRAG_TYPE))
    if (!item) return
    event.preventDefault()
    add(item, sight.around({ x: event.clientX, y: event.clientY }))
  }

  function open() {
    flushSync(() => sight.setPaletteOpen(true))      // so that its field is there for the very next key
    focus.onField(searchRef)
  }

  const leave = () => focus.onChosen(chosenOf(graph.live.current.nodes))      // the next key is for the step that was added or chosen
  const close = () => { sight.setPaletteOpen(false); leave() }
  return { add, drop, open, leave, close, searchRef }
}
