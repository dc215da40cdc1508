// Line icons on a 24 x 24 grid.
const PATHS = {
  extract: "M5 5.5C5 4 8 3 12 3s7 1 7 2.5S16 8 12 8 5 7 5 5.5Zm0 0V12c0 1.4 2.4 2.4 5.6 2.5M19 5.5V10M16 13v8m0 0 3-3m-3 3-3-3",
  transform: "M4 6h9m4 0h3M15 4v4M4 12h3m4 0h9M9 10v4M4 18h11m4 0h1M17 16v4",
  load: "M12 3v11m0-11 4 4m-4-4L8 7M4 15v3.5C4 20 5 21 6.5 21h11c1.5 0 2.5-1 2.5-2.5V15",
  validate: "M12 3 5 5.8v5.4C5 15.7 8 19.2 12 21c4-1.8 7-5.3 7-9.8V5.8L12 3Zm-3 9 2.2 2.2L15.3 10",
  train: "M6 18a2 2 0 1 0 0-.01M6 6a2 2 0 1 0 0-.01M18 12a2 2 0 1 0 0-.01M7.7 6.8l8.5 4.3M7.7 17.2l8.5-4.3M6 8v8",
  undo: "M8 5 4 9l4 4M4 9h10a6 6 0 0 1 0 12h-3",
  redo: "m16 5 4 4-4 4M20 9H10a6 6 0 0 0 0 12h3",
  tidy: "M4 4h6v5H4zM14 15h6v5h-6zM4 15h6v5H4zM10 6.5h4.5c1.5 0 2.5 1 2.5 2.5v6",
  fit: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5",
  plus: "M12 5v14M5 12h14",
  close: "m6 6 12 12M18 6 6 18",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14Zm5 12 4 4",
  dots: "M5 12h.01M12 12h.01M19 12h.01",
  to: "M3 12h12m-5-5 5 5-5 5M20 5v14",
  from: "M4 5v14M8 12h12m-5-5 5 5-5 5",
  rename: "M4 20h4L19 9l-4-4L4 16v4ZM13 7l4 4",
  stale: "M20 12a8 8 0 1 1-2.5-5.8M20 3v4.5h-4.5",
  keyboard: "M3 7h18v10H3zM7 10.5h.01M11 10.5h.01M15 10.5h.01M8 14h8",
}

export const Icon = ({ name, size = 16 }) => (
  <svg className="icon" width={size} height={size} viewBox="0 0 24 24" fill="none" stroke="currentColor"
    strokeWidth="1.7" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
    <path d={PATHS[name] || PATHS.transform} />
  </svg>
)
