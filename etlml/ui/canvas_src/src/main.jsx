// Mounts the editor into the element that Streamlit hands over; one React root lives through all reruns.
import React from "react"
import { createRoot } from "react-dom/client"
import { ReactFlowProvider } from "@xyflow/react"
import { Editor } from "./Editor.jsx"
import flowStyle from "@xyflow/react/dist/style.css"
import ownStyle from "./canvas.css"

const mounted = new WeakMap()

function mount(parent) {
  const style = document.createElement("style")
  style.textContent = flowStyle + ownStyle
  const host = document.createElement("div")
  host.className = "canvas-host"
  parent.append(style, host)
  return { host, style, root: createRoot(host), emit: null, send: null }
}

export default function draw({ data, parentElement, setStateValue, setTriggerValue }) {
  let place = mounted.get(parentElement)
  if (!place) {
    place = mount(parentElement)
    mounted.set(parentElement, place)
    place.emit = (name, value) => place.send(name, value)
  }
  place.send = (name, value) => (name === "opened" ? setTriggerValue(name, value.id) : name === "asked" ? setTriggerValue(name, value) : setStateValue(name, value))
  place.host.style.height = typeof data.height === "string" ? data.height : `${data.height || 460}px`
  place.root.render(<ReactFlowProvider><Editor data={data} emit={place.emit} host={place.host} /></ReactFlowProvider>)
  return () => {
    place.root.unmount()
    place.host.remove()
    place.style.remove()
    mounted.delete(parentElement)
  }
}
