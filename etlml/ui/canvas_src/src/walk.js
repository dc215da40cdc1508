// From step to step by the keyboard, and connecting two of them on the way.
import { useState } from "react"
import { chosenOf } from "./elements.js"
import { reading } from "./view.js"

export function useWalk({ graph, focus, sight, say }) {
  const [linkFrom, setLinkFrom] = useState(null)

  function go(by) {                    // to the next step, or the one before, as they are read; while connecting, the choice stays
    const order = reading(graph.live.current.nodes)
    if (!order.length) return
    const from = (linkFrom ? null : order.find(n => n.selected)?.id) ?? focus.step() ?? linkFrom
    const at = order.findIndex(n => n.id === from)
    const next = order[at < 0 ? (by > 0 ? 0 : order.length - 1) : (at + by + order.length) % order.length]
    if (!linkFrom) graph.choose(next.id)
    sight.reveal(next)
    focus.onStep(next.id)
  }

  function startLink() {
    const chosen = chosenOf(graph.live.current.nodes)
    if (chosen.length !== 1) return
    setLinkFrom(chosen[0].id)
    say(`Connect ${chosen[0].data.name} to … (choose a step, Enter)`)
  }

  function linkTo(id) {
    if (graph.connect(linkFrom, id)) setLinkFrom(null)
  }

  function endLink() {                 // whether one was begun
    const id = focus.step()
    if (linkFrom && id) linkTo(id)
    return linkFrom !== null
  }

  return { go, linkFrom, startLink, linkTo, endLink, stopLink: () => setLinkFrom(null) }
}
