// Builds ../assets/: canvas.js, rows.js, lineage.js and volume.js with their styles inside, the font, and the licences of what is in them.
import { build } from "esbuild"
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"

const OUT = "../assets"
const result = await build({
  entryPoints: { canvas: "src/main.jsx", rows: "src/rows.js", lineage: "src/lineage.js", volume: "src/volume.js" }, outdir: OUT, bundle: true, minify: true, format: "esm", target: "es2022",
  jsx: "automatic", loader: { ".css": "text" }, define: { "process.env.NODE_ENV": '"production"' }, legalComments: "none", metafile: true,
})
copyFileSync("node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2", join(OUT, "inter.woff2"))

const packageOf = path => path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1]
const names = new Set([...Object.keys(result.metafile.inputs).map(packageOf).filter(Boolean), "@dagrejs/graphlib", "@fontsource-variable/inter"])  // graphlib is inlined in dagre
const texts = [...names].sort().map(name => {
  const folder = join("node_modules", name)
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
  const file = readdirSync(folder).find(entry => /^(licen[cs]e|copying)/i.test(entry))
  const text = file && existsSync(join(folder, file)) ? readFileSync(join(folder, file), "utf8").trim() : `Licence: ${license}`
  return `${name} ${version} (${license})\n${"-".repeat(72)}\n${text}\n`
})
writeFileSync(join(OUT, "THIRD_PARTY_LICENSES.txt"), `The files in this folder contain the following packages.\n\n${texts.join("\n\n")}`)
console.log([...names].sort().join(", "))
