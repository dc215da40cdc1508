// What each key does on the canvas.
import { useRef } from "react"
import { chosenOf } from "./elements.js"
import { useStable } from "./stable.js"

const ARROWS_APART_MS = 900

// By the key's name, with the modifier that is held; "any" is for a key that means the same with each of them and without.
// An action that returns false has done nothing: the key is left to the page.
const READING = {
  "f": act => act.fit(),
  "n": act => act.go(1),
  "p": act => act.go(-1),
  "any ?": act => act.help(),
  "any enter": act => act.endLink(),
  "any contextmenu": act => act.menu(),
  "any f10": (act, event) => event.shiftKey && act.menu(),
  "any escape": act => { act.letGo(); return false },          // React Flow lets go of the step too
}
const EDITING = {
  ...READING,
  "a": act => act.palette(),
  "c": act => act.startLink(),
  "l": act => act.tidy(),
  "ctrl a": act => act.chooseAll(),
  "ctrl c": act => act.copy(),
  "ctrl d": act => act.duplicate(),
  "ctrl v": act => act.paste(),
  "ctrl x": act => act.cut(),
  "ctrl y": act => act.redo(),
  "ctrl z": (act, event) => (event.shiftKey ? act.redo() : act.undo()),
  "any f2": act => act.renameChosen(),
  "any delete": act => act.remove(),
  "any backspace": act => act.remove(),
}

/** `onKeyDown` for the canvas and all within, `onKeyUp` for React Flow. */
export function useKeys({ act, readonly, graph }) {
  const arrowAt = useRef(-Infinity)

  function beforeArrow(event, target) {      // a move by the arrows is one edit, however often they are pressed
    const movesSteps = target.closest?.(".react-flow__node, .react-flow__nodesselection-rect")
    if (readonly || !movesSteps || !chosenOf(graph.live.current.nodes).length) return
    if (event.timeStamp - arrowAt.current > ARROWS_APART_MS) graph.record(graph.snapshot())
    arrowAt.current = event.timeStamp
  }

  function onKeyDown(event) {
    const target = event.nativeEvent.composedPath()[0]
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName || "")) return event.stopPropagation()
    const key = event.key.toLowerCase()
    if (key.startsWith("arrow")) return beforeArrow(event, target)
    const held = event.ctrlKey || event.metaKey ? "ctrl " : event.altKey ? "alt " : ""
    const table = readonly ? READING : EDITING
    const action = table[held + key] ?? table[`any ${key}`]
    if (!action || action(act, event) === false) return
    event.preventDefault()
    event.stopPropagation()
  }

  function onKeyUp(event) {
    const hasChosen = graph.nodes.some(n => n.selected) || graph.edges.some(e => e.selected)
    if (!readonly && event.key.startsWith("Arrow") && hasChosen) graph.send()
  }
  return useStable({ onKeyDown, onKeyUp })
}
