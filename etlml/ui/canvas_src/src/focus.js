// Where the next key goes: one wish at a time, so that an older one can't take the focus from a newer one.
import { useEffect, useRef } from "react"
import { useStable } from "./stable.js"

const AGAIN_MS = 25
const TRIES = 80                       // two seconds, and longer where the page is busy: a new step is hidden until it has been measured
const QUIETLY = { preventScroll: true }

/** Puts the focus on a step, the canvas or a field as soon as that can have it. */
export function useFocus(canvasRef) {
  const wish = useRef(null)
  const element = id => canvasRef.current?.querySelector(`.react-flow__node[data-id="${CSS.escape(id)}"]`)

  function holder() {                  // what has the focus now, here or anywhere on the page; null if nothing has
    const root = canvasRef.current?.getRootNode()
    const has = root?.activeElement ?? document.activeElement
    return has === document.body || has === root?.host ? null : has
  }

  function isSettled(now) {            // come true, or overtaken by the user, who has put the focus elsewhere meanwhile
    if (holder() && holder() !== now.holder) return true
    const place = now.find()
    place?.focus(QUIETLY)
    if (place && holder() === place) return true
    if (now.id) canvasRef.current?.focus(QUIETLY)      // stands in for the step, so that no key is lost or typed into a field
    now.holder = holder()
    return false
  }

  function pursue(now) {
    if (wish.current !== now) return   // there is a newer one
    const isOver = isSettled(now) || now.tries-- <= 0
    if (!isOver) setTimeout(() => pursue(now), AGAIN_MS)
    else if (wish.current === now) wish.current = null
  }

  function want(find, { id = null, later = false } = {}) {
    const now = { find, id, holder: holder(), tries: TRIES }
    wish.current = now
    if (later) setTimeout(() => pursue(now))
    else pursue(now)
  }
  useEffect(() => () => { wish.current = null }, [])

  const onStep = (id, options) => want(() => element(id), { id, ...options })
  const onCanvas = () => want(() => canvasRef.current)
  return useStable({
    element, onStep, onCanvas,
    onField: ref => want(() => ref.current),
    onChosen: chosen => (chosen.length === 1 ? onStep(chosen[0].id) : onCanvas()),
    step: () => wish.current?.id ?? holder()?.closest(".react-flow__node")?.dataset.id,      // that has it, or is about to
  })
}
