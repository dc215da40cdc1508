// A picture made of HTML that the server wrote: what has data-open can be clicked, or opened by Enter.

const mounted = new WeakMap()

function mount(parent) {
  const host = document.createElement("div")
  parent.append(host)
  const place = { host, shown: null, send: null }
  const open = event => {
    const cell = event.target.closest("[data-open]")
    if (cell) place.send("open", cell.dataset.open)
  }
  host.addEventListener("click", open)
  host.addEventListener("keydown", event => { if (event.key === "Enter") open(event) })
  return place
}

export default function draw({ data, parentElement, setTriggerValue }) {
  let place = mounted.get(parentElement)
  if (!place) {
    place = mount(parentElement)
    mounted.set(parentElement, place)
  }
  place.send = setTriggerValue
  if (place.shown !== data.html) {
    const focused = place.host.contains(document.activeElement) ? document.activeElement.dataset.open : null
    const scrolled = place.host.firstElementChild?.scrollLeft
    place.host.innerHTML = place.shown = data.html
    if (scrolled !== undefined) place.host.firstElementChild.scrollLeft = scrolled
    else place.host.firstElementChild?.scrollTo({ left: 1e6 }) // the newest is at the right
    if (focused) place.host.querySelector(`[data-open="${CSS.escape(focused)}"]`)?.focus()
  }
  return () => { place.host.remove(); mounted.delete(parentElement) }
}
