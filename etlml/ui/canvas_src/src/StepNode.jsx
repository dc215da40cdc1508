// One step as a card: icon, name, type, state, rows, problems.
import React from "react"
import { Handle, Position } from "@xyflow/react"
import { Icon } from "./icons.jsx"

const STATES = { pending: "Waiting", running: "Running", success: "Done", failed: "Failed", skipped: "Skipped", cached: "Cached" }

function Footer({ data }) {
  const parts = [data.rows, data.time].filter(Boolean)
  return parts.length ? <span className="step-facts">{parts.join(" · ")}</span> : null
}

export const StepNode = React.memo(function StepNode({ data, selected }) {
  const problems = data.problems || []
  const classes = ["step", `type-${data.type}`, data.status && `is-${data.status}`, selected && "is-selected",
    problems.length && "has-problems", data.stale && "is-stale"].filter(Boolean).join(" ")
  return (
    <div className={classes} title={data.hint || undefined}>
      {data.inputs !== 0 && <Handle type="target" position={Position.Left} aria-label={`Input of ${data.name}`} />}
      <span className="step-icon"><Icon name={data.type} size={18} /></span>
      <span className="step-text">
        <b title={data.name}>{data.name}</b>
        <small>{data.summary || data.type}</small>
        <Footer data={data} />
      </span>
      {data.status && <span className="step-state" title={STATES[data.status] || data.status} role="status"
        aria-label={STATES[data.status] || data.status} />}
      {problems.length > 0 && <span className="step-problems" title={problems.join("\n")} role="img"
        aria-label={`${problems.length} problems: ${problems[0]}`}>{problems.length}</span>}
      {data.status === "running" && <span className="step-bar"><i style={data.progress ? { width: `${data.progress * 100}%`, animation: "none" } : {}} /></span>}
      {data.outputs !== 0 && <Handle type="source" position={Position.Right} aria-label={`Output of ${data.name}`} />}
    </div>
  )
})
