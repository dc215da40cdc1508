// The canvas. The browser owns places and edges while somebody edits; Python owns names, states and problems,
// and bumps `rev` when it changes the graph itself.
import React, { useRef, useState } from "react"
import { Background, BackgroundVariant, Controls, MiniMap, Panel, ReactFlow, SelectionMode } from "@xyflow/react"
import { useAdding } from "./adding.js"
import { ChangeCard } from "./ChangeCard.jsx"
import { useClipboard } from "./clipboard.js"
import { useGraph } from "./editing.js"
import { chosenOf } from "./elements.js"
import { useFocus } from "./focus.js"
import { Icon } from "./icons.jsx"
import { useKeys } from "./keys.js"
import { useMenu } from "./menu.js"
import { useMouse } from "./mouse.js"
import { useNotice } from "./notice.js"
import { Palette } from "./Palette.jsx"
import { useSight } from "./sight.js"
import { entries, StepMenu } from "./StepMenu.jsx"
import { CardTools, StepNode } from "./StepNode.jsx"
import { useSync } from "./sync.js"
import { KeyHelp, Toolbar } from "./Toolbar.jsx"
import { useWalk } from "./walk.js"

const DRAWN_WHOLE = 80                         // of more steps than that, only those in sight are in the page
const LOOKS = {                                // the same objects in each drawing: React Flow compares them
  nodeTypes: { step: StepNode }, defaultEdgeOptions: { type: "default" },
  minZoom: 0.15, maxZoom: 2, snapToGrid: true, snapGrid: [4, 4], panOnScroll: false, connectionRadius: 28,
  nodesFocusable: true, deleteKeyCode: null, selectionKeyCode: "Shift", multiSelectionKeyCode: ["Control", "Meta"], selectionMode: SelectionMode.Partial,
}
const MINIMAP = { width: 150, height: 100 }    // here, not in the style sheet: React Flow draws for the size that it is told
const miniClass = n => `mini type-${n.data.type} ${n.data.status ? `is-${n.data.status}` : ""}`

export function Editor({ data, emit, host }) {
  const readonly = !!data.readonly
  const hasMenu = !readonly || !!data.menu
  const items = data.palette || []
  const canvasRef = useRef(null)
  const [notice, say] = useNotice()
  const [helpOpen, setHelpOpen] = useState(false)
  const [pointed, setPointed] = useState(null)
  const point = id => { if (readonly) setPointed(id) }

  const focus = useFocus(canvasRef)
  const graph = useGraph({ data, emit, say, focus })
  const sight = useSight({ host, data, nodes: graph.nodes })
  const onSelection = useSync({ data, emit, graph, sight })
  const clipboard = useClipboard({ graph, focus, say })
  const adding = useAdding({ items, host, graph, focus, sight })
  const walk = useWalk({ graph, focus, sight, say })
  const menu = useMenu({ hasMenu, host, emit, graph, focus })

  const act = {
    undo: graph.undo, redo: graph.redo, remove: graph.remove, chooseAll: graph.chooseAll, ...clipboard,
    tidy: () => { graph.tidy(); sight.afterDrawing(sight.fit) },
    fit: sight.fit, go: walk.go, startLink: walk.startLink, endLink: walk.endLink, palette: adding.open,
    menu: menu.openByKey, rename: menu.rename, renameChosen: menu.renameChosen,
    ask: (what, id) => emit("asked", { what, id, at: Date.now() }),
    help: () => setHelpOpen(open => !open),
    letGo: () => { walk.stopLink(); setHelpOpen(false); focus.onCanvas() },
  }
  const keys = useKeys({ act, readonly, graph })
  const mouse = useMouse({ hasMenu, graph, menu, walk, adding, point, emit, say })

  const { nodes, edges } = graph
  const count = chosenOf(nodes).length
  const can = { ...graph.can, selected: count > 0 || edges.some(e => e.selected) }
  const menuItems = menu.at ? entries({ id: menu.at.id, count, menu: data.menu, readonly, act }) : []
  const explained = readonly && nodes.find(n => n.data.change && (pointed ? n.id === pointed : n.selected))
  return (
    <div className={`canvas ${walk.linkFrom ? "is-linking" : ""}`} tabIndex={-1} ref={canvasRef} onKeyDown={keys.onKeyDown}
      onFocus={event => point(event.target.closest?.(".react-flow__node")?.dataset.id ?? null)} onBlur={() => point(null)}>
      <CardTools.Provider value={menu.tools}>
        <ReactFlow {...LOOKS} {...mouse} nodes={nodes} edges={edges} onNodesChange={graph.onNodesChange} onEdgesChange={graph.onEdgesChange}
          onSelectionChange={onSelection} onKeyUp={keys.onKeyUp} nodesDraggable={!readonly} nodesConnectable={!readonly} edgesFocusable={!readonly}
          onlyRenderVisibleElements={nodes.length > DRAWN_WHOLE} colorMode={data.dark ? "dark" : "light"} defaultViewport={sight.first}
          fitViewOptions={sight.fitting} zoomOnScroll={!!data.zoomOnScroll} preventScrolling={!!data.zoomOnScroll}>
          <Background variant={BackgroundVariant.Dots} gap={20} size={1.2} />
          <Controls showInteractive={false} position="bottom-left" />
          {sight.hasMap && <MiniMap style={MINIMAP} pannable zoomable position="bottom-right" ariaLabel="Map of the pipeline"
            nodeClassName={miniClass} nodeStrokeWidth={0} nodeBorderRadius={8} />}
          {!readonly && <Panel position="top-right"><Toolbar act={act} can={can} /></Panel>}
          {!readonly && sight.paletteOpen && <Panel position="top-left" className="palette-panel">
            <Palette items={items} onAdd={item => adding.add(item)} onClose={adding.close} onLeave={adding.leave} inputRef={adding.searchRef} /></Panel>}
          {!readonly && !sight.paletteOpen && <Panel position="top-left">
            <button className="add" onClick={adding.open} title="Add a step  (A)"><Icon name="plus" size={14} />Add step</button></Panel>}
          {nodes.length === 0 && <Panel position="top-center" className="blank"><b>An empty canvas</b>
            <span>{readonly ? "This pipeline has no steps yet." : "Drag a step from the palette, or press A and type what you need."}</span></Panel>}
        </ReactFlow>
      </CardTools.Provider>
      {menuItems.length > 0 && <StepMenu at={menu.at} name={nodes.find(n => n.id === menu.at.id)?.data.name ?? ""} items={menuItems} room={host} onClose={menu.close} />}
      {explained && <ChangeCard key={explained.id} data={explained.data} node={focus.element(explained.id)} room={host} />}
      {helpOpen && <KeyHelp readonly={readonly} onClose={() => setHelpOpen(false)} />}
      <div className={`notice ${notice ? "is-shown" : ""}`} role="status">{notice}</div>
    </div>
  )
}
