// The canvas. The browser owns places and edges while somebody edits; Python owns names, states and problems,
// and bumps `rev` when it changes the graph itself.
import React, { useCallback, useEffect, useMemo, useRef, useState } from "react"
import { Background, BackgroundVariant, Controls, MarkerType, MiniMap, Panel, ReactFlow, SelectionMode,
  useEdgesState, useNodesState, useReactFlow } from "@xyflow/react"
import { freeId, freeSpot, History, layered, NODE_HEIGHT, NODE_WIDTH, refusal } from "./graph.js"
import { DRAG_TYPE, Palette } from "./Palette.jsx"
import { Icon } from "./icons.jsx"
import { useStable } from "./stable.js"
import { entries, StepMenu } from "./StepMenu.jsx"
import { CardTools, StepNode } from "./StepNode.jsx"
import { ChangeCard } from "./ChangeCard.jsx"
import { KeyHelp, Toolbar } from "./Toolbar.jsx"
import { isInSight, opening, padding, READABLE, reading, roomOf, spoken } from "./view.js"

const nodeTypes = { step: StepNode }
const PASTE_OFFSET = 36
const MIN_ZOOM = 0.15
const ARROWS_APART_MS = 900
const DRAWN_WHOLE = 80                         // of more steps than that, only those in sight are in the page
const MINIMAP_FROM = 15
const MINIMAP_HEIGHT = 400
const MINIMAP = { width: 150, height: 100 }    // here, not in the style sheet: React Flow draws for the size that it is told
const ADD_KEYS = ["Control", "Meta"], GRID = [4, 4], EDGE = { type: "default" }    // the same objects in each drawing
const miniClass = n => `mini type-${n.data.type} ${n.data.status ? `is-${n.data.status}` : ""}`
const ROOM_FOR_PALETTE = 860
const NARROW = 560
const PALETTE_WIDTH = 216

const asNode = n => ({ id: n.id, type: "step", position: { x: n.x, y: n.y }, data: n, madeFrom: n.from, ariaLabel: spoken(n) })
const edgeId = (source, target) => `${source}->${target}`
const asEdge = ({ source, target, change }) => ({
  id: edgeId(source, target), source, target, markerEnd: { type: MarkerType.ArrowClosed, width: 16, height: 16, ...(change ? { color: `var(--${change})` } : {}) },
  ariaLabel: `${source} to ${target}${change ? `, ${change}` : ""}`, ...(change ? { className: `edge-${change}` } : {}),
})

function graphOf(data) {
  const nodes = data.nodes.map(asNode)
  const edges = data.edges.map(asEdge)
  if (data.nodes.every(n => n.x != null && n.y != null)) return { nodes, edges }
  const places = layered(nodes, edges)
  return { nodes: nodes.map(n => ({ ...n, position: places[n.id] })), edges }
}

export function Editor({ data, emit, host }) {
  const readonly = !!data.readonly
  const start = useRef(null)
  start.current ||= graphOf(data)
  const [nodes, setNodes, onNodesChange] = useNodesState(start.current.nodes)
  const [edges, setEdges, onEdgesChange] = useEdgesState(start.current.edges)
  const [paletteOpen, setPaletteOpen] = useState((data.paletteOpen ?? true) && !data.readonly && host.clientWidth > ROOM_FOR_PALETTE)
  const [helpOpen, setHelpOpen] = useState(false)
  const [notice, setNotice] = useState("")
  const [linkFrom, setLinkFrom] = useState(null)
  const [menu, setMenu] = useState(null)
  const [renaming, setRenaming] = useState(null)
  const [pointed, setPointed] = useState(null)
  const [, redraw] = useState(0)
  const flow = useReactFlow()
  const rev = useRef(data.rev)
  const live = useRef({})
  const history = useRef(new History())
  const beforeDrag = useRef(null)
  const clipboard = useRef(null)
  const searchRef = useRef(null)
  const canvasRef = useRef(null)
  const choice = useRef(data.choice)
  const told = useRef(undefined)
  live.current = { nodes, edges, data }

  const arrowAt = useRef(-Infinity)
  const gone = useRef(null)
  const focused = () => canvasRef.current?.getRootNode().activeElement?.closest?.(".react-flow__node")?.dataset.id
  const nodeElement = id => canvasRef.current?.querySelector(`.react-flow__node[data-id="${CSS.escape(id)}"]`)
  const say = useCallback(text => { setNotice(text); if (text) setTimeout(() => setNotice(now => (now === text ? "" : now)), 2600) }, [])
  const snapshot = () => ({ nodes: live.current.nodes.map(n => ({ ...n, selected: false })), edges: live.current.edges })
  const room = roomOf(readonly, paletteOpen && !readonly ? PALETTE_WIDTH : 0)
  const roomRef = useRef(room)
  roomRef.current = room
  const fit = useCallback(() => flow.fitView({ maxZoom: 1, padding: padding(roomRef.current), duration: 250 }), [flow])
  const fitting = useMemo(() => ({ maxZoom: 1, padding: padding(room) }), [room.left, room.right, room.top, room.bottom])
  const [height, setHeight] = useState(host.clientHeight)
  const hasRoomForMap = height >= MINIMAP_HEIGHT
  const viewOf = nodes => opening(nodes, { width: host.clientWidth, height: host.clientHeight }, roomRef.current,
    { chosen: live.current.data.selected, least: host.clientHeight >= MINIMAP_HEIGHT ? READABLE : 0 })
  const first = useRef(null)
  first.current ||= viewOf(nodes)
  const seen = useRef(host.clientWidth > 0)
  const [whole, setWhole] = useState(first.current.whole)
  const show = useCallback(nodes => {                  // as on opening: all of it, or what can be read of it
    const view = viewOf(nodes)
    setWhole(view.whole)
    flow.setViewport(view, { duration: seen.current ? 250 : 0 })
  }, [flow])

  // Python's side of the data: a new revision replaces the graph, else only looks are merged.
  useEffect(() => {
    if (data.rev !== rev.current) {
      rev.current = data.rev
      const next = graphOf(data)
      const chosen = new Set(live.current.nodes.filter(n => n.selected).map(n => n.id))
      setNodes(next.nodes.map(n => ({ ...n, selected: chosen.has(n.id) })))
      setEdges(next.edges)
      history.current.clear()
      const before = new Map(live.current.nodes.map(n => [`${n.position.x},${n.position.y}`, n.id]))
      const isMoved = next.nodes.length !== before.size || next.nodes.some(n => !before.has(`${n.position.x},${n.position.y}`))
      if (data.fit && isMoved) setTimeout(() => show(next.nodes), 60)
      return
    }
    const known = new Map(data.nodes.map(n => [n.id, n]))
    setNodes(old => old.map(n => (known.has(n.id) ? { ...n, data: { ...n.data, ...known.get(n.id) }, ariaLabel: spoken({ ...n.data, ...known.get(n.id) }) } : n)))
    setEdges(old => old.map(e => ({ ...e, animated: known.get(e.target)?.status === "running" })))
  }, [data])

  // Python chooses a step by a new `choice`; an echo of what the user chose (same `choice`) changes nothing.
  useEffect(() => {
    if (data.choice === choice.current) return
    choice.current = data.choice
    told.current = data.selected ?? null
    setNodes(old => old.map(n => ({ ...n, selected: n.id === data.selected })))
  }, [data.choice])
  useEffect(() => {
    if (data.selected) {
      told.current = data.selected
      setNodes(old => old.map(n => ({ ...n, selected: n.id === data.selected })))
    }
    const stop = new ResizeObserver(() => {
      if (host.clientWidth <= NARROW) setPaletteOpen(false)
      setHeight(host.clientHeight)
      if (!seen.current && host.clientWidth > 0) { show(live.current.nodes); seen.current = true }   // it was on a hidden tab
    })
    stop.observe(host)
    return () => stop.disconnect()
  }, [])

  const send = useCallback(() => setTimeout(() => {
    const now = live.current
    emit("graph", {
      rev: rev.current, at: Date.now(),
      nodes: now.nodes.map(n => ({ id: n.id, x: Math.round(n.position.x), y: Math.round(n.position.y), ...(n.madeFrom ? { from: n.madeFrom } : {}) })),
      edges: now.edges.map(({ source, target }) => ({ source, target })),
    })
  }, 30), [emit])

  const change = useCallback(next => {                 // one undoable edit
    history.current.push(snapshot())
    if (next.nodes) setNodes(next.nodes)
    if (next.edges) setEdges(next.edges)
    redraw(n => n + 1)
    send()
  }, [send])

  const backToCanvas = (tries = 8) => {                // the next key is for the step that was added or chosen
    const chosen = live.current.nodes.filter(n => n.selected)
    const place = (chosen.length === 1 && nodeElement(chosen[0].id)) || canvasRef.current
    place?.focus({ preventScroll: true })
    const isDrawn = place?.getRootNode().activeElement === place     // a new step is hidden until it has been measured
    if (!isDrawn && tries > 0) setTimeout(() => backToCanvas(tries - 1), 50)
  }
  const restore = useCallback(state => {
    if (!state) return
    const looks = new Map(live.current.nodes.map(n => [n.id, n.data]))
    const chosen = new Set(live.current.nodes.filter(n => n.selected).map(n => n.id))
    if (!chosen.size) for (const n of state.nodes) if (!looks.has(n.id)) chosen.add(n.id)      // what comes back is taken up again
    setNodes(state.nodes.map(n => ({ ...n, data: looks.get(n.id) || n.data, selected: chosen.has(n.id) })))
    setEdges(state.edges)
    redraw(n => n + 1)
    send()
    setTimeout(() => backToCanvas(), 30)
  }, [send])

  const connect = useCallback((source, target) => {
    const now = live.current
    const why = refusal(now.nodes, now.edges, source, target)
    if (why) { say(why); return false }
    change({ edges: [...now.edges, asEdge({ source, target })] })
    return true
  }, [change, say])

  const add = useCallback((item, place) => {
    const now = live.current
    const chosen = now.nodes.filter(n => n.selected)
    const parent = !place && chosen.length === 1 && item.type !== "extract" ? chosen[0] : null
    const box = host.getBoundingClientRect()
    const middle = flow.screenToFlowPosition({ x: box.left + box.width / 2, y: box.top + box.height / 2 })
    const wish = place || (parent ? { x: parent.position.x + NODE_WIDTH + 60, y: parent.position.y } : { x: middle.x - NODE_WIDTH / 2, y: middle.y - NODE_HEIGHT / 2 })
    const spot = freeSpot(now.nodes, wish.x, wish.y)
    const id = freeId(item.id || item.type, new Set(now.nodes.map(n => n.id)))
    const node = { ...asNode({ id, name: id, type: item.type, summary: item.label, inputs: item.type === "extract" ? 0 : 1, ...spot, from: { template: item.key } }), selected: true }
    change({
      nodes: [...now.nodes.map(n => ({ ...n, selected: false })), node],
      edges: parent ? [...now.edges, asEdge({ source: parent.id, target: id })] : now.edges,
    })
    if (!place) setTimeout(() => flow.fitView({ nodes: [{ id }, ...(parent ? [{ id: parent.id }] : [])], maxZoom: flow.getZoom(), minZoom: 0.4, duration: 200, padding: padding(roomRef.current) }), 60)
  }, [change, flow, host])

  const remove = useCallback(() => {
    const now = live.current
    const gone = new Set(now.nodes.filter(n => n.selected).map(n => n.id))
    const edgesLeft = now.edges.filter(e => !e.selected && !gone.has(e.source) && !gone.has(e.target))
    if (!gone.size && edgesLeft.length === now.edges.length) return
    change({ nodes: now.nodes.filter(n => !gone.has(n.id)), edges: edgesLeft })
    canvasRef.current?.focus({ preventScroll: true })      // the step that had it is gone, and the next key is for the canvas
  }, [change])

  const copy = useCallback(() => {
    const chosen = live.current.nodes.filter(n => n.selected)
    if (!chosen.length) return false
    const ids = new Set(chosen.map(n => n.id))
    clipboard.current = { nodes: chosen, edges: live.current.edges.filter(e => ids.has(e.source) && ids.has(e.target)), times: 0 }
    say(chosen.length === 1 ? "Copied 1 step" : `Copied ${chosen.length} steps`)
    return true
  }, [say])

  const paste = useCallback(() => {
    const board = clipboard.current
    if (!board) return
    board.times += 1
    const now = live.current
    const taken = new Set(now.nodes.map(n => n.id))
    const renamed = new Map()
    const fresh = board.nodes.map(n => {
      const id = freeId(n.id, taken)
      taken.add(id)
      renamed.set(n.id, id)
      const shift = { x: PASTE_OFFSET * board.times, y: (NODE_HEIGHT + PASTE_OFFSET / 2) * board.times }
      const { problems, status, rows, time, ...look } = n.data
      return { ...n, id, selected: true, position: { x: n.position.x + shift.x, y: n.position.y + shift.y }, madeFrom: { copy_of: n.id }, data: { ...look, id, name: id } }
    })
    change({
      nodes: [...now.nodes.map(n => ({ ...n, selected: false })), ...fresh],
      edges: [...now.edges, ...board.edges.map(e => asEdge({ source: renamed.get(e.source), target: renamed.get(e.target) }))],
    })
    setTimeout(() => nodeElement(fresh[0].id)?.focus({ preventScroll: true }), 60)      // the next key is for the copy
  }, [change])

  const tidy = useCallback(() => {
    const places = layered(live.current.nodes, live.current.edges)
    change({ nodes: live.current.nodes.map(n => ({ ...n, position: places[n.id] })) })
    setTimeout(fit, 60)
  }, [change, fit])

  const openMenu = useCallback((id, place) => {         // place: an element, or where the mouse is
    const now = live.current
    if (!now.data.menu && readonly) return
    const box = host.getBoundingClientRect()
    const by = place.getBoundingClientRect?.()
    if (!now.nodes.find(n => n.id === id)?.selected) {
      setNodes(old => old.map(n => ({ ...n, selected: n.id === id })))
      setEdges(old => old.map(e => ({ ...e, selected: false })))
    }
    setMenu({ id, x: (by ? by.left : place.clientX) - box.left, y: (by ? by.bottom + 2 : place.clientY) - box.top })
  }, [host, readonly])
  const closeMenu = useCallback(back => {
    setMenu(now => { if (now && back) setTimeout(() => nodeElement(now.id)?.focus({ preventScroll: true }), 0); return null })
  }, [])
  const rename = useCallback((id, name) => {
    setRenaming(null)
    const given = name?.trim()
    const old = live.current.nodes.find(n => n.id === id)?.data.name
    setTimeout(() => nodeElement(id)?.focus({ preventScroll: true }), 0)
    if (!given || given === old) return
    setNodes(all => all.map(n => (n.id === id ? { ...n, data: { ...n.data, name: given } } : n)))
    emit("asked", { what: "rename", id, name: given, at: Date.now() })
  }, [emit])
  const hasMenu = !readonly || !!data.menu
  const tools = useMemo(() => ({ renaming, menuOf: menu?.id ?? null, openMenu: hasMenu ? openMenu : null, rename }), [renaming, menu, hasMenu, openMenu, rename])

  const beforeArrow = event => {                       // a move by the arrows is one edit, however often they are pressed
    if (!live.current.nodes.some(n => n.selected) || !event.nativeEvent.composedPath()[0].closest?.(".react-flow__node, .react-flow__nodesselection-rect")) return
    if (event.timeStamp - arrowAt.current > ARROWS_APART_MS) { history.current.push(snapshot()); redraw(n => n + 1) }
    arrowAt.current = event.timeStamp
  }
  const goTo = by => {                                  // select the next step, or the one before, as they are read
    const order = reading(live.current.nodes)
    if (!order.length) return
    const from = (linkFrom ? null : order.find(n => n.selected)?.id) ?? gone.current ?? focused() ?? linkFrom
    const at = order.findIndex(n => n.id === from)
    const next = order[at < 0 ? (by > 0 ? 0 : order.length - 1) : (at + by + order.length) % order.length]
    if (!linkFrom) {
      setNodes(old => old.map(n => (n.selected === (n.id === next.id) ? n : { ...n, selected: n.id === next.id })))
      setEdges(old => (old.some(e => e.selected) ? old.map(e => ({ ...e, selected: false })) : old))
    }
    const box = { x: next.position.x, y: next.position.y, width: NODE_WIDTH, height: NODE_HEIGHT }
    if (!isInSight(box, flow.getViewport(), { width: host.clientWidth, height: host.clientHeight }, roomRef.current))
      flow.setCenter(box.x + NODE_WIDTH / 2, box.y + NODE_HEIGHT / 2, { zoom: Math.max(flow.getZoom(), READABLE), duration: 200 })
    gone.current = next.id                              // until it has the focus
    setTimeout(() => {
      nodeElement(next.id)?.focus({ preventScroll: true })
      if (gone.current === next.id) gone.current = null
    }, flow.getNodes().length > DRAWN_WHOLE ? 260 : 0)
  }

  const openPalette = () => { setPaletteOpen(true); setTimeout(() => searchRef.current?.focus(), 30) }
  const act = {
    palette: openPalette, remove, tidy, fit, help: () => setHelpOpen(open => !open),
    undo: () => restore(history.current.undo(snapshot())), redo: () => restore(history.current.redo(snapshot())),
    duplicate: () => { if (copy()) paste() },
    ask: (what, id) => emit("asked", { what, id, at: Date.now() }), rename: setRenaming,
  }

  function onKey(event) {
    const target = event.nativeEvent.composedPath()[0]
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName || "")) { event.stopPropagation(); return }
    const ctrl = event.ctrlKey || event.metaKey
    const key = event.key.toLowerCase()
    const done = () => { event.preventDefault(); event.stopPropagation() }
    if (key === "escape") {
      setLinkFrom(null)
      setHelpOpen(false)
      setTimeout(() => canvasRef.current?.focus({ preventScroll: true }), 40)      // React Flow lets go of the step and of the focus
      return
    }
    if (key === "contextmenu" || (key === "f10" && event.shiftKey)) {
      const id = target.closest?.(".react-flow__node")?.dataset.id ?? live.current.nodes.find(n => n.selected)?.id
      if (id) { openMenu(id, nodeElement(id)); done() }
      return
    }
    if (key === "enter" && linkFrom) {
      const id = gone.current ?? target.closest?.(".react-flow__node")?.dataset.id
      if (id && connect(linkFrom, id)) setLinkFrom(null)
      return done()
    }
    if (key === "f" && !ctrl) { fit(); return done() }
    if (key === "?") { act.help(); return done() }
    if ((key === "n" || key === "p") && !ctrl && !event.altKey) { goTo(key === "n" ? 1 : -1); return done() }
    if (readonly) return
    if (key.startsWith("arrow")) return beforeArrow(event)
    if (key === "f2") {
      const only = live.current.nodes.filter(n => n.selected)
      if (only.length === 1) { act.rename(only[0].id); done() }
      return
    }
    if (key === "delete" || key === "backspace") { remove(); return done() }
    if (ctrl && key === "z") { event.shiftKey ? act.redo() : act.undo(); return done() }
    if (ctrl && key === "y") { act.redo(); return done() }
    if (ctrl && key === "c") { if (copy()) done(); return }
    if (ctrl && key === "x") { if (copy()) { remove(); done() } return }
    if (ctrl && key === "v") { paste(); return done() }
    if (ctrl && key === "d") { act.duplicate(); return done() }
    if (ctrl && key === "a") { setNodes(old => old.map(n => ({ ...n, selected: true }))); return done() }
    if (ctrl || event.altKey) return
    if (key === "a") { openPalette(); return done() }
    if (key === "l") { tidy(); return done() }
    if (key === "c") {
      const chosen = live.current.nodes.filter(n => n.selected)
      if (chosen.length === 1) { setLinkFrom(chosen[0].id); say(`Connect ${chosen[0].data.name} to … (choose a step, Enter)`) }
      return done()
    }
  }

  const onDrop = event => {
    const item = (data.palette || []).find(i => i.key === event.dataTransfer.getData(DRAG_TYPE))
    if (!item) return
    event.preventDefault()
    const at = flow.screenToFlowPosition({ x: event.clientX, y: event.clientY })
    add(item, { x: at.x - NODE_WIDTH / 2, y: at.y - NODE_HEIGHT / 2 })
  }

  const onSelection = useCallback(({ nodes: chosen }) => {
    const id = chosen.length === 1 ? chosen[0].id : null
    redraw(n => n + 1)
    if (told.current === id) return
    told.current = id
    setTimeout(() => { if (told.current === id) emit("selected", id) }, 60)
  }, [emit])

  const steps = nodes.filter(n => n.selected).length
  const chosen = steps + edges.filter(e => e.selected).length
  const on = useStable({
    onConnect: c => connect(c.source, c.target),
    isValidConnection: c => !refusal(live.current.nodes, live.current.edges, c.source, c.target),
    onConnectEnd: (event, state) => {
      if (state.isValid !== false || !state.fromNode || !state.toNode) return
      const [a, b] = state.fromHandle?.type === "source" ? [state.fromNode.id, state.toNode.id] : [state.toNode.id, state.fromNode.id]
      const why = refusal(live.current.nodes, live.current.edges, a, b)
      if (why) say(why)
    },
    onNodeDragStart: () => { beforeDrag.current = snapshot() },
    onSelectionDragStart: () => { beforeDrag.current = snapshot() },
    onNodeDragStop: (event, node) => {
      const old = beforeDrag.current?.nodes.find(n => n.id === node.id)?.position
      if (old && old.x === node.position.x && old.y === node.position.y) return
      if (beforeDrag.current) history.current.push(beforeDrag.current)
      redraw(n => n + 1)
      send()
    },
    onSelectionDragStop: () => { if (beforeDrag.current) history.current.push(beforeDrag.current); redraw(n => n + 1); send() },
    onNodeClick: (event, node) => { if (linkFrom && linkFrom !== node.id) { if (connect(linkFrom, node.id)) setLinkFrom(null) } },
    onNodeContextMenu: (event, node) => { if (hasMenu) { event.preventDefault(); if (!menu || event.button === 2) openMenu(node.id, event) } },
    onSelectionContextMenu: (event, all) => { if (hasMenu && all.length) { event.preventDefault(); openMenu(all[0].id, event) } },
    onMoveStart: () => { setMenu(null); setPointed(null) },
    onNodeMouseEnter: (event, node) => { if (readonly) setPointed(node.id) },
    onNodeMouseLeave: () => { if (readonly) setPointed(null) },
    onNodeDoubleClick: (event, node) => emit("opened", { id: node.id, at: Date.now() }),
    onDrop,
    onDragOver: e => { e.preventDefault(); e.dataTransfer.dropEffect = "copy" },
    onKeyUp: e => { if (!readonly && e.key.startsWith("Arrow") && chosen) send() },
  })
  const explained = readonly && nodes.find(n => n.data.change && (pointed ? n.id === pointed : n.selected))
  const menuItems = menu ? entries({ id: menu.id, count: steps, menu: data.menu, readonly, act }) : []
  return (
    <div className={`canvas ${linkFrom ? "is-linking" : ""}`} onKeyDown={onKey} tabIndex={-1} ref={canvasRef}
      onFocus={e => { if (readonly) setPointed(e.target.closest?.(".react-flow__node")?.dataset.id ?? null) }} onBlur={() => { if (readonly) setPointed(null) }}>
      <CardTools.Provider value={tools}><ReactFlow nodes={nodes} edges={edges} nodeTypes={nodeTypes} onNodesChange={onNodesChange} onEdgesChange={onEdgesChange}
        {...on} onSelectionChange={onSelection}
        nodesDraggable={!readonly} nodesConnectable={!readonly} nodesFocusable edgesFocusable={!readonly} deleteKeyCode={null}
        selectionKeyCode="Shift" multiSelectionKeyCode={ADD_KEYS} selectionMode={SelectionMode.Partial} connectionRadius={28}
        onlyRenderVisibleElements={nodes.length > DRAWN_WHOLE} colorMode={data.dark ? "dark" : "light"} defaultViewport={first.current} fitViewOptions={fitting}
        minZoom={MIN_ZOOM} maxZoom={2} snapToGrid snapGrid={GRID} panOnScroll={false} zoomOnScroll={!!data.zoomOnScroll} preventScrolling={!!data.zoomOnScroll}
        defaultEdgeOptions={EDGE}>
        <Background variant={BackgroundVariant.Dots} gap={20} size={1.2} />
        <Controls showInteractive={false} position="bottom-left" />
        {(nodes.length >= MINIMAP_FROM || !whole) && hasRoomForMap && <MiniMap style={MINIMAP} pannable zoomable position="bottom-right" ariaLabel="Map of the pipeline"
          nodeClassName={miniClass} nodeStrokeWidth={0} nodeBorderRadius={8} />}
        {!readonly && <Panel position="top-right"><Toolbar act={act}
          can={{ undo: history.current.past.length > 0, redo: history.current.future.length > 0, selected: chosen > 0 }} /></Panel>}
        {!readonly && paletteOpen && <Panel position="top-left" className="palette-panel">
          <Palette items={data.palette || []} onAdd={item => add(item)} onClose={() => { setPaletteOpen(false); backToCanvas() }} onLeave={() => backToCanvas()} inputRef={searchRef} /></Panel>}
        {!readonly && !paletteOpen && <Panel position="top-left"><button className="add" onClick={openPalette} title="Add a step  (A)"><Icon name="plus" size={14} />Add step</button></Panel>}
        {nodes.length === 0 && <Panel position="top-center" className="blank"><b>An empty canvas</b>
          <span>{readonly ? "This pipeline has no steps yet." : "Drag a step from the palette, or press A and type what you need."}</span></Panel>}
      </ReactFlow></CardTools.Provider>
      {menu && menuItems.length > 0 && <StepMenu at={menu} name={nodes.find(n => n.id === menu.id)?.data.name ?? ""} items={menuItems} room={host} onClose={closeMenu} />}
      {explained && <ChangeCard key={explained.id} data={explained.data} node={nodeElement(explained.id)} room={host} />}
      {helpOpen && <KeyHelp readonly={readonly} onClose={() => setHelpOpen(false)} />}
      <div className={`notice ${notice ? "is-shown" : ""}`} role="status">{notice}</div>
    </div>
  )
}
