// Fails when the built page grows beyond its budget. Sizes as a browser fetches them: gzip.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'

const budgetKib = { '.js': 225, '.css': 35, other: 10 }

const dist = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist')
const total = { '.js': 0, '.css': 0, other: 0 }
for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile()) continue
  const kind = extname(entry.name) in total ? extname(entry.name) : 'other'
  total[kind] += gzipSync(readFileSync(join(entry.parentPath, entry.name))).length
}

let failed = false
for (const [kind, budget] of Object.entries(budgetKib)) {
  const kib = total[kind] / 1024
  const over = kib > budget
  failed ||= over
  console.log(`${kind.padEnd(6)} ${kib.toFixed(1)} of ${budget} KiB${over ? '  OVER BUDGET' : ''}`)
}
process.exit(failed ? 1 : 0)
