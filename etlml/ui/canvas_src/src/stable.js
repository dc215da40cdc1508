// Handlers that stay the same object while they call what was drawn last: React Flow tells every step of a new handler.
import { useRef } from "react"

export function useStable(handlers) {
  const latest = useRef(handlers)
  latest.current = handlers
  const stable = useRef(null)
  stable.current ||= Object.fromEntries(Object.keys(handlers).map(name => [name, (...given) => latest.current[name](...given)]))
  return stable.current
}
