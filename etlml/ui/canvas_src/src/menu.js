// A step's menu and its name: which step has them open.
import { useMemo, useState } from "react"
import { chosenOf } from "./elements.js"
import { useStable } from "./stable.js"

export function useMenu({ hasMenu, host, emit, graph, focus }) {
  const [menu, setMenu] = useState(null)
  const [renaming, setRenaming] = useState(null)

  function open(id, place) {           // place: an element, or where the mouse is
    if (!hasMenu) return
    const box = host.getBoundingClientRect()
    const by = place.getBoundingClientRect?.()
    if (!graph.live.current.nodes.find(n => n.id === id)?.selected) graph.choose(id)
    setMenu({ id, x: (by ? by.left : place.clientX) - box.left, y: (by ? by.bottom + 2 : place.clientY) - box.top })
  }

  function close(back) {
    if (menu && back) focus.onStep(menu.id)
    setMenu(null)
  }

  function endRenaming(id, name) {     // no name: it stays as it is
    setRenaming(null)
    const given = name?.trim()
    const old = graph.live.current.nodes.find(n => n.id === id)?.data.name
    focus.onStep(id, { later: true })  // the field may be losing it to something that is being clicked
    if (!given || given === old) return
    graph.setNodes(all => all.map(n => (n.id === id ? { ...n, data: { ...n.data, name: given } } : n)))
    emit("asked", { what: "rename", id, name: given, at: Date.now() })
  }

  function openByKey() {               // whether there is a step whose menu it is
    const id = focus.step() ?? chosenOf(graph.live.current.nodes)[0]?.id
    if (id) open(id, focus.element(id) ?? host)
    return !!id
  }

  function renameChosen() {
    const chosen = chosenOf(graph.live.current.nodes)
    if (chosen.length === 1) setRenaming(chosen[0].id)
    return chosen.length === 1
  }

  const actions = useStable({ open, close, openByKey, renameChosen, endRenaming })
  const tools = useMemo(() => ({ renaming, menuOf: menu?.id ?? null, openMenu: hasMenu ? actions.open : null, rename: actions.endRenaming }), [renaming, menu, hasMenu])
  return { ...actions, at: menu, tools, rename: setRenaming }
}
