// What can be added: searched by typing, added by drag, click or Enter.
import React, { useMemo, useRef, useState } from "react"
import { Icon } from "./icons.jsx"

export const DRAG_TYPE = "application/x-etlml-step"

export function Palette({ items, onAdd, onClose, onLeave, inputRef }) {
  const [query, setQuery] = useState("")
  const listRef = useRef(null)
  const groups = useMemo(() => {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean)
    const found = items.filter(item => words.every(w => `${item.label} ${item.type} ${item.hint || ""} ${item.words || ""}`.toLowerCase().includes(w)))
    const byType = new Map()
    for (const item of found) byType.set(item.group || item.type, [...(byType.get(item.group || item.type) || []), item])
    return [...byType]
  }, [items, query])
  const best = useMemo(() => {
    const words = query.toLowerCase().trim()
    const rank = item => (item.label.toLowerCase().startsWith(words) ? 0 : item.label.toLowerCase().includes(words) ? 1 : 2)
    return groups.flatMap(([, members]) => members).sort((a, b) => rank(a) - rank(b))[0]
  }, [groups, query])

  function walk(event) {
    if (event.key === "Escape") { event.stopPropagation(); setQuery(""); onLeave(); return }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return
    event.preventDefault()
    const buttons = [...listRef.current.querySelectorAll("button")]
    const at = buttons.indexOf(event.target)
    const to = event.key === "ArrowDown" ? at + 1 : at - 1
    if (to < 0) inputRef.current?.focus()
    else buttons[Math.min(to, buttons.length - 1)]?.focus()
  }

  return (
    <div className="palette nowheel nopan nodrag" onKeyDown={walk}>
      <div className="palette-head">
        <Icon name="search" size={14} />
        <input ref={inputRef} value={query} placeholder="Add a step…" aria-label="Search steps to add" spellCheck="false"
          onChange={e => setQuery(e.target.value)}
          onKeyDown={e => {
            if (e.key === "Enter" && best) { onAdd(best); setQuery("") }
          }} />
        <button className="ghost" onClick={onClose} title="Hide the palette" aria-label="Hide the palette"><Icon name="close" size={13} /></button>
      </div>
      <div className="palette-list" ref={listRef}>
        {groups.length === 0 && <p>Nothing is called “{query}”.</p>}
        {groups.map(([group, members]) => (
          <section key={group}>
            <h4>{group}</h4>
            {members.map(item => (
              <button key={item.key} className={`palette-item type-${item.type} ${query && item === best ? "is-best" : ""}`} draggable title={item.hint}
                onDragStart={e => { e.dataTransfer.setData(DRAG_TYPE, item.key); e.dataTransfer.effectAllowed = "copy" }}
                onClick={() => onAdd(item)}>
                <span className="step-icon"><Icon name={item.type} size={14} /></span>{item.label}
              </button>
            ))}
          </section>
        ))}
      </div>
    </div>
  )
}
