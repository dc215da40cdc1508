// One step as a card: icon, name, type, state, rows, problems; its name can be typed anew in place.
import React, { createContext, useContext, useRef } from "react"
import { Handle, Position } from "@xyflow/react"
import { Icon } from "./icons.jsx"
import { STALE } from "./view.js"

const STATES = { pending: "Waiting", running: "Running", success: "Done", failed: "Failed", skipped: "Skipped", cached: "Cached" }

const SIGNS = { added: "+", removed: "−", changed: "~", renamed: "↷" }

/** What a card can have done: {renaming: id, menuOf: id, openMenu(id, element) or null, rename(id, name or null)}. */
export const CardTools = createContext({ renaming: null, menuOf: null, openMenu: null, rename: () => {} })

function NameField({ data, rename }) {
  const done = useRef(false)
  const end = name => { if (!done.current) { done.current = true; rename(data.id, name) } }
  return (
    <input className="step-name nodrag nopan nokey" aria-label={`Name of ${data.name}`} defaultValue={data.name} maxLength={120} autoFocus
      onFocus={e => e.target.select()} onBlur={e => end(e.target.value)}
      onKeyDown={e => { e.stopPropagation(); if (e.key === "Enter") end(e.target.value); if (e.key === "Escape") end(null) }} />
  )
}

export const StepNode = React.memo(function StepNode({ data, selected }) {
  const tools = useContext(CardTools)
  const problems = data.problems || []
  const facts = [data.rows, data.time].filter(Boolean).join(" · ")
  const classes = ["step", `type-${data.type}`, data.status && `is-${data.status}`, selected && "is-selected",
    problems.length && "has-problems", data.stale && "is-stale", data.change && `change-${data.change}`].filter(Boolean).join(" ")
  return (
    <div className={classes} title={data.hint || undefined}>
      {data.inputs !== 0 && <Handle type="target" position={Position.Left} aria-label={`Input of ${data.name}`} />}
      <span className="step-icon"><Icon name={data.type} size={18} /></span>
      <span className="step-text">
        {tools.renaming === data.id ? <NameField data={data} rename={tools.rename} /> : <b title={data.name}>{data.name}</b>}
        <small>{data.summary || data.type}</small>
        {facts && <span className="step-facts">{facts}</span>}
      </span>
      <span className="step-corner">
        {data.stale && <span className="step-stale" role="img" aria-label={STALE} title={STALE}><Icon name="stale" size={13} /></span>}
        {data.status && <span className="step-state" title={STATES[data.status] || data.status} role="img" aria-label={STATES[data.status] || data.status} />}
      </span>
      {problems.length > 0 && <span className="step-problems" title={problems.join("\n")} role="img"
        aria-label={`${problems.length === 1 ? "1 problem" : `${problems.length} problems`}: ${problems[0]}`}>{problems.length}</span>}
      {data.change && <span className="change-word">{SIGNS[data.change]} {data.change}</span>}
      {data.status === "running" && <span className="step-bar"><i style={data.progress ? { width: `${data.progress * 100}%`, animation: "none" } : {}} /></span>}
      {selected && tools.openMenu && <button className="step-more nodrag nopan nokey" aria-label={`Actions for ${data.name}`} title="Actions" aria-haspopup="menu"
        aria-expanded={tools.menuOf === data.id} onClick={e => { e.stopPropagation(); tools.openMenu(data.id, e.currentTarget) }}><Icon name="dots" size={17} /></button>}
      {data.outputs !== 0 && <Handle type="source" position={Position.Right} aria-label={`Output of ${data.name}`} />}
    </div>
  )
})
