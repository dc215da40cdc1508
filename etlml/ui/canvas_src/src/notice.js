// A word to the user at the foot of the canvas, for a moment.
import { useCallback, useState } from "react"

const SHOWN_MS = 2600

export function useNotice() {
  const [notice, setNotice] = useState("")
  const say = useCallback(text => {
    setNotice(text)
    setTimeout(() => setNotice(now => (now === text ? "" : now)), SHOWN_MS)
  }, [])
  return [notice, say]
}
