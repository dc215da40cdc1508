// What became of one step between two versions, in words, beside its card.
import React, { useLayoutEffect, useRef, useState } from "react"

const GAP = 8

export function ChangeCard({ data, node, room }) {
  const ref = useRef(null)
  const [place, setPlace] = useState({ visibility: "hidden" })
  useLayoutEffect(() => {
    if (!node) return
    const box = node.getBoundingClientRect(), around = room.getBoundingClientRect()
    const { offsetWidth, offsetHeight } = ref.current
    const below = box.bottom - around.top + GAP
    const top = below + offsetHeight <= room.clientHeight ? below : Math.max(GAP, box.top - around.top - GAP - offsetHeight)
    setPlace({ top, left: Math.max(GAP, Math.min(box.left - around.left, room.clientWidth - offsetWidth - GAP)) })
  }, [node, data])
  return (
    <div className={`changes change-${data.change}`} role="status" ref={ref} style={place}>
      <b>{data.name}</b><span className="change-word">{data.change}</span>
      {data.changes?.length > 0 && <ul>{data.changes.map((line, at) => <li key={at}>{line}</li>)}</ul>}
    </div>
  )
}
