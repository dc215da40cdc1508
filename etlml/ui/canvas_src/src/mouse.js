// What React Flow reports: connecting, dragging, clicking.
import { useRef } from "react"
import { useStable } from "./stable.js"

export function useMouse({ hasMenu, graph, menu, walk, adding, point, emit, say }) {
  const before = useRef(null)          // the graph before the drag
  const dragStarts = () => { before.current = graph.snapshot() }

  function dragEnds() {
    if (before.current) graph.record(before.current)
    graph.send()
  }

  function sayWhyNot(event, { isValid, fromNode, toNode, fromHandle }) {
    if (isValid !== false || !fromNode || !toNode) return
    const why = fromHandle?.type === "source" ? graph.refused(fromNode.id, toNode.id) : graph.refused(toNode.id, fromNode.id)
    if (why) say(why)
  }

  return useStable({
    onConnect: link => graph.connect(link.source, link.target),
    isValidConnection: link => !graph.refused(link.source, link.target),
    onConnectEnd: sayWhyNot,
    onNodeDragStart: dragStarts,
    onSelectionDragStart: dragStarts,
    onNodeDragStop: (event, node) => {
      const old = before.current?.nodes.find(n => n.id === node.id)?.position
      if (old?.x !== node.position.x || old?.y !== node.position.y) dragEnds()
    },
    onSelectionDragStop: dragEnds,
    onNodeClick: (event, node) => { if (walk.linkFrom && walk.linkFrom !== node.id) walk.linkTo(node.id) },
    onNodeDoubleClick: (event, node) => emit("opened", { id: node.id, at: Date.now() }),
    onNodeContextMenu: (event, node) => {
      if (!hasMenu) return
      event.preventDefault()
      if (!menu.at || event.button === 2) menu.open(node.id, event)
    },
    onSelectionContextMenu: (event, all) => {
      if (!hasMenu || !all.length) return
      event.preventDefault()
      menu.open(all[0].id, event)
    },
    onMoveStart: () => { menu.close(false); point(null) },
    onNodeMouseEnter: (event, node) => point(node.id),
    onNodeMouseLeave: () => point(null),
    onDrop: adding.drop,
    onDragOver: event => { event.preventDefault(); event.dataTransfer.dropEffect = "copy" },
  })
}
