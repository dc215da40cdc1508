// What can be done with a step, as a menu: by right click, by its dots, by the keyboard's menu key.
import React, { useEffect, useLayoutEffect, useRef, useState } from "react"
import { Icon } from "./icons.jsx"

const MARGIN = 6
const STEPS = { ArrowDown: 1, ArrowUp: -1 }

/** The entries for one step, or for several that are selected; null is a line between them. */
export function entries({ id, count, menu, readonly, act }) {
  const several = count > 1 ? `${count} steps` : ""
  const runs = menu && !several ? [
    { icon: "to", label: "Run to here", hint: "This step and all that it needs", off: !menu.to, act: () => act.ask("to", id) },
    { icon: "from", label: "Run from here", hint: menu.from.includes(id) ? "This step and all that depends on it" : "The pipeline has to have run once with this step",
      off: !menu.to || !menu.from.includes(id), act: () => act.ask("from", id) }, null] : []
  const edits = readonly ? [] : [
    ...(several ? [] : [{ icon: "rename", label: "Rename", keys: "F2", takesFocus: true, act: () => act.rename(id) }]),
    { icon: "copy", label: `Duplicate ${several}`.trim(), keys: "Ctrl+D", act: act.duplicate },
    { icon: "trash", label: `Delete ${several}`.trim(), keys: "Del", act: act.remove, bad: true }]
  return edits.length ? [...runs, ...edits] : runs.slice(0, -1)
}

export function StepMenu({ at, name, items, room, onClose }) {
  const ref = useRef(null)
  const [place, setPlace] = useState({ left: at.x, top: at.y })
  const buttons = () => [...ref.current.querySelectorAll("button:not(:disabled)")]

  useLayoutEffect(() => {
    const { offsetWidth, offsetHeight } = ref.current
    setPlace({ left: Math.max(MARGIN, Math.min(at.x, room.clientWidth - offsetWidth - MARGIN)), top: Math.max(MARGIN, Math.min(at.y, room.clientHeight - offsetHeight - MARGIN)) })
    buttons()[0]?.focus({ preventScroll: true })
  }, [at])
  useEffect(() => {
    const away = event => { if (!event.composedPath().includes(ref.current)) onClose(false) }
    window.addEventListener("pointerdown", away, true)
    window.addEventListener("blur", away)
    return () => { window.removeEventListener("pointerdown", away, true); window.removeEventListener("blur", away) }
  }, [onClose])

  function onKey(event) {
    event.stopPropagation()
    const all = buttons()
    const now = all.indexOf(ref.current.getRootNode().activeElement)
    const go = index => { event.preventDefault(); all[(index + all.length) % all.length]?.focus() }
    if (event.key === "Escape" || event.key === "Tab") { event.preventDefault(); onClose(true) }
    else if (event.key in STEPS) go(now < 0 ? 0 : now + STEPS[event.key])
    else if (event.key === "Home") go(0)
    else if (event.key === "End") go(all.length - 1)
    else if (/^[a-z]$/i.test(event.key) && !event.ctrlKey && !event.metaKey) {
      const next = [...all.slice(now + 1), ...all.slice(0, now + 1)].find(b => b.textContent.toLowerCase().startsWith(event.key.toLowerCase()))
      if (next) { event.preventDefault(); next.focus() }
    }
  }

  return (
    <div className="menu" role="menu" aria-label={`Actions for ${name}`} ref={ref} style={place} onKeyDown={onKey} onContextMenu={e => e.preventDefault()}>
      {items.map((item, i) => item === null ? <hr key={i} role="separator" /> : (
        <button key={item.label} role="menuitem" tabIndex={-1} disabled={item.off} title={item.hint} className={item.bad ? "is-bad" : ""}
          onPointerEnter={e => e.currentTarget.focus({ preventScroll: true })} onClick={() => { onClose(!item.takesFocus); item.act() }}>
          <Icon name={item.icon} size={14} />{item.label}{item.keys && <kbd>{item.keys}</kbd>}
        </button>))}
    </div>
  )
}
