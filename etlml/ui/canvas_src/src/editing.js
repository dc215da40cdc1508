// The graph that somebody edits: its steps and edges, what undoes an edit, and telling Python of it.
import { useReducer, useRef } from "react"
import { useEdgesState, useNodesState } from "@xyflow/react"
import { asEdge, chosenOf, graphOf, withChosen, withoutChosen } from "./elements.js"
import { History, layered, refusal } from "./graph.js"
import { useStable } from "./stable.js"

const DRAWN_MS = 30                    // by then React has drawn the edit that is sent

export function useGraph({ data, emit, say, focus }) {
  const start = useRef(null)
  start.current ||= graphOf(data)
  const [nodes, setNodes, onNodesChange] = useNodesState(start.current.nodes)
  const [edges, setEdges, onEdgesChange] = useEdgesState(start.current.edges)
  const [, redraw] = useReducer(n => n + 1, 0)
  const history = useRef(new History())
  const rev = useRef(data.rev)
  const live = useRef(null)
  live.current = { nodes, edges }

  const snapshot = () => ({ nodes: live.current.nodes.map(n => ({ ...n, selected: false })), edges: live.current.edges })

  function record(state) {
    history.current.push(state)
    redraw()
  }

  const send = () => setTimeout(() => {
    const now = live.current
    emit("graph", {
      rev: rev.current, at: Date.now(),
      nodes: now.nodes.map(n => ({ id: n.id, x: Math.round(n.position.x), y: Math.round(n.position.y), ...(n.madeFrom ? { from: n.madeFrom } : {}) })),
      edges: now.edges.map(({ source, target }) => ({ source, target })),
    })
  }, DRAWN_MS)

  function change(next) {              // one undoable edit
    record(snapshot())
    if (next.nodes) setNodes(next.nodes)
    if (next.edges) setEdges(next.edges)
    send()
  }

  function restore(state) {
    if (!state) return
    const looks = new Map(live.current.nodes.map(n => [n.id, n.data]))
    const chosen = new Set(chosenOf(live.current.nodes).map(n => n.id))
    if (!chosen.size) for (const n of state.nodes) if (!looks.has(n.id)) chosen.add(n.id)      // what comes back is taken up again
    const back = state.nodes.map(n => ({ ...n, data: looks.get(n.id) || n.data, selected: chosen.has(n.id) }))
    setNodes(back)
    setEdges(state.edges)
    redraw()
    send()
    focus.onChosen(chosenOf(back))
  }

  /** Why that can't be connected, or "". */
  const refused = (source, target) => refusal(live.current.nodes, live.current.edges, source, target)

  function connect(source, target) {
    const why = refused(source, target)
    if (why) { say(why); return false }
    change({ edges: [...live.current.edges, asEdge({ source, target })] })
    return true
  }

  function remove() {
    const now = live.current
    const gone = new Set(chosenOf(now.nodes).map(n => n.id))
    const edgesLeft = now.edges.filter(e => !e.selected && !gone.has(e.source) && !gone.has(e.target))
    if (!gone.size && edgesLeft.length === now.edges.length) return
    change({ nodes: now.nodes.filter(n => !gone.has(n.id)), edges: edgesLeft })
    focus.onCanvas()                   // the step that had it is gone, and the next key is for the canvas
  }

  function tidy() {
    const places = layered(live.current.nodes, live.current.edges)
    change({ nodes: live.current.nodes.map(n => ({ ...n, position: places[n.id] })) })
  }

  function choose(id) {
    setNodes(old => withChosen(old, id))
    setEdges(withoutChosen)
  }

  function replace(next) {             // another graph from outside: what was done to the old one can't be undone in it
    const chosen = new Set(chosenOf(live.current.nodes).map(n => n.id))
    setNodes(next.nodes.map(n => ({ ...n, selected: chosen.has(n.id) })))
    setEdges(next.edges)
    history.current.clear()
  }

  const actions = useStable({
    snapshot, record, send, change, refused, connect, remove, tidy, choose, replace,
    undo: () => restore(history.current.undo(snapshot())),
    redo: () => restore(history.current.redo(snapshot())),
    chooseAll: () => setNodes(old => old.map(n => ({ ...n, selected: true }))),
  })
  const can = { undo: history.current.past.length > 0, redo: history.current.future.length > 0 }
  return { nodes, edges, setNodes, setEdges, onNodesChange, onEdgesChange, live, rev, can, ...actions }
}
