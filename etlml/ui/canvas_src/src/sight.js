// What is seen of the graph: the room that the panels leave, where the view goes, whether the map is needed.
import { useEffect, useMemo, useRef, useState } from "react"
import { useReactFlow } from "@xyflow/react"
import { NODE_HEIGHT, NODE_WIDTH } from "./graph.js"
import { useStable } from "./stable.js"
import { isInSight, opening, padding, READABLE, roomOf } from "./view.js"

const ROOM_FOR_PALETTE = 860           // of a narrower canvas it would hide too much when the page opens
const NARROW = 560
const PALETTE_WIDTH = 216
const MINIMAP_FROM = 15
const MINIMAP_HEIGHT = 400
const LEAST_ZOOM = 0.4
const DRAWN_MS = 60

export function useSight({ host, data, nodes }) {
  const flow = useReactFlow()
  const readonly = !!data.readonly
  const [paletteOpen, setPaletteOpen] = useState((data.paletteOpen ?? true) && !readonly && host.clientWidth > ROOM_FOR_PALETTE)
  const [height, setHeight] = useState(host.clientHeight)
  const room = roomOf(readonly, paletteOpen && !readonly ? PALETTE_WIDTH : 0)
  const fitting = useMemo(() => ({ maxZoom: 1, padding: padding(room) }), [room.left, room.right, room.top, room.bottom])
  const size = () => ({ width: host.clientWidth, height: host.clientHeight })
  const viewOf = shown => opening(shown, size(), room, { chosen: data.selected, least: host.clientHeight >= MINIMAP_HEIGHT ? READABLE : 0 })
  const first = useRef(null)
  first.current ||= viewOf(nodes)
  const [whole, setWhole] = useState(first.current.whole)
  const wasSeen = useRef(host.clientWidth > 0)

  function show(shown) {               // as on opening: all of it, or what can be read of it
    const view = viewOf(shown)
    setWhole(view.whole)
    flow.setViewport(view, { duration: wasSeen.current ? 250 : 0 })
  }

  function resized() {
    if (host.clientWidth <= NARROW) setPaletteOpen(false)
    setHeight(host.clientHeight)
    if (wasSeen.current || !host.clientWidth) return
    show(nodes)                        // it was on a hidden tab
    wasSeen.current = true
  }

  function frame(ids) {                // those steps, no nearer than now
    flow.fitView({ nodes: ids.map(id => ({ id })), maxZoom: flow.getZoom(), minZoom: LEAST_ZOOM, duration: 200, padding: padding(room) })
  }

  function reveal({ position: { x, y } }) {
    if (isInSight({ x, y, width: NODE_WIDTH, height: NODE_HEIGHT }, flow.getViewport(), size(), room)) return
    flow.setCenter(x + NODE_WIDTH / 2, y + NODE_HEIGHT / 2, { zoom: Math.max(flow.getZoom(), READABLE), duration: 200 })
  }

  /** Where a step is put so that its centre is there on the screen. */
  function around({ x, y }) {
    const centre = flow.screenToFlowPosition({ x, y })
    return { x: centre.x - NODE_WIDTH / 2, y: centre.y - NODE_HEIGHT / 2 }
  }

  const fit = () => flow.fitView({ maxZoom: 1, padding: padding(room), duration: 250 })
  const views = useStable({ show, resized, frame, reveal, around, fit })
  useEffect(() => {
    const watch = new ResizeObserver(views.resized)
    watch.observe(host)
    return () => watch.disconnect()
  }, [])

  return {
    ...views, paletteOpen, setPaletteOpen, fitting, first: first.current,
    hasMap: (nodes.length >= MINIMAP_FROM || !whole) && height >= MINIMAP_HEIGHT,
    afterDrawing: look => setTimeout(look, DRAWN_MS),      // a step has to be there before it can be looked at
  }
}
