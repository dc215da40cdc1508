// Buttons over the canvas; each says its key.
import React from "react"
import { Icon } from "./icons.jsx"

const Tool = ({ icon, label, keys, onClick, disabled }) => (
  <button className="tool" onClick={onClick} disabled={disabled} aria-label={label} title={keys ? `${label}  (${keys})` : label}>
    <Icon name={icon} />
  </button>
)

export function Toolbar({ can, act }) {
  return (
    <div className="toolbar nodrag nopan" role="toolbar" aria-label="Canvas">
      <Tool icon="undo" label="Undo" keys="Ctrl+Z" onClick={act.undo} disabled={!can.undo} />
      <Tool icon="redo" label="Redo" keys="Ctrl+Shift+Z" onClick={act.redo} disabled={!can.redo} />
      <i />
      <Tool icon="copy" label="Duplicate" keys="Ctrl+D" onClick={act.duplicate} disabled={!can.selected} />
      <Tool icon="trash" label="Delete" keys="Del" onClick={act.remove} disabled={!can.selected} />
      <i />
      <Tool icon="tidy" label="Tidy up" keys="L" onClick={act.tidy} />
      <Tool icon="fit" label="Fit to view" keys="F" onClick={act.fit} />
      <Tool icon="keyboard" label="Keyboard help" keys="?" onClick={act.help} />
    </div>
  )
}

const KEYS = [["A", "add a step"], ["C", "connect the selected step: choose another by N or P, then press Enter"], ["N / P", "select the next, the previous step"],
  ["Arrows", "move the selected steps, with Shift further"], ["Enter", "select"], ["Shift + drag", "select several"], ["Ctrl + click", "add to the selection"],
  ["Ctrl A", "select all"], ["Ctrl C / X / V", "copy, cut, paste"], ["Ctrl D", "duplicate"], ["F2", "rename"], ["Menu / Shift F10", "what can be done with a step"], ["Ctrl Z / Shift Z", "undo, redo"], ["Ctrl Enter", "run"],
  ["Del", "delete"], ["L", "tidy up"], ["F", "fit to view"], ["Esc", "let go"]]
const VIEW_KEYS = new Set(["N / P", "Enter", "F", "Esc"])

export function KeyHelp({ readonly, onClose }) {
  return (
    <div className="keyhelp" role="dialog" aria-label="Keyboard">
      <header>Keyboard<button className="ghost" onClick={onClose} aria-label="Close"><Icon name="close" size={13} /></button></header>
      <dl>{KEYS.filter(([key]) => !readonly || VIEW_KEYS.has(key)).map(([key, what]) => <React.Fragment key={key}><dt>{key}</dt><dd>{what}</dd></React.Fragment>)}</dl>
    </div>
  )
}
