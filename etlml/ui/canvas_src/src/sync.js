// What Python says while somebody edits, and what it is told of the selection.
import { useCallback, useEffect, useRef } from "react"
import { dressed, graphOf, withChosen } from "./elements.js"

const CALM_MS = 60                     // a selection that lasts shorter is not told: each draws the panel beside the canvas

export function useSync({ data, emit, graph, sight }) {
  const { setNodes, setEdges, live, rev } = graph
  const choice = useRef(data.choice)
  const told = useRef(undefined)
  const chooseAsTold = id => {
    told.current = id ?? null
    setNodes(old => withChosen(old, id))
  }

  useEffect(() => {                    // a new revision replaces the graph, else only looks are merged
    if (data.rev !== rev.current) {
      rev.current = data.rev
      const next = graphOf(data)
      const isMoved = !haveSamePlaces(next.nodes, live.current.nodes)
      graph.replace(next)
      if (data.fit && isMoved) sight.afterDrawing(() => sight.show(next.nodes))
      return
    }
    const looks = new Map(data.nodes.map(n => [n.id, n]))
    setNodes(old => old.map(n => (looks.has(n.id) ? dressed(n, looks.get(n.id)) : n)))
    setEdges(old => old.map(e => ({ ...e, animated: looks.get(e.target)?.status === "running" })))
  }, [data])

  useEffect(() => {                    // Python chooses a step by a new `choice`; the same one is an echo of what the user chose
    if (data.choice === choice.current) return
    choice.current = data.choice
    chooseAsTold(data.selected)
  }, [data.choice])

  useEffect(() => { if (data.selected) chooseAsTold(data.selected) }, [])

  return useCallback(({ nodes: chosen }) => {
    const id = chosen.length === 1 ? chosen[0].id : null
    if (told.current === id) return
    told.current = id
    setTimeout(() => { if (told.current === id) emit("selected", id) }, CALM_MS)
  }, [emit])
}

function haveSamePlaces(some, others) {
  const placeOf = n => `${n.position.x},${n.position.y}`
  const places = new Set(others.map(placeOf))
  return some.length === places.size && some.every(n => places.has(placeOf(n)))
}
