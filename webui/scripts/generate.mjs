// Generates src/api/gen from ../proto with protoc (PROTOC names another one). Does nothing when
// what is there is newer than the .proto files and the generator.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const webui = dirname(dirname(fileURLToPath(import.meta.url)))
const protoRoot = join(webui, '..', 'proto')
const protos = readdirSync(join(protoRoot, 'llmd', 'v1'))
  .filter((name) => name.endsWith('.proto'))
  .map((name) => `llmd/v1/${name}`)
const out = join(webui, 'src', 'api', 'gen')
const plugin = join(webui, 'node_modules', '@bufbuild', 'protoc-gen-es')

function upToDate() {
  const outputs = protos.map((name) => join(out, name.replace(/\.proto$/, '_pb.ts')))
  if (!outputs.every((name) => existsSync(name))) return false
  const inputs = [
    ...protos.map((name) => join(protoRoot, name)),
    join(plugin, 'package.json'),
    fileURLToPath(import.meta.url),
  ]
  const newest = Math.max(...inputs.map((name) => statSync(name).mtimeMs))
  return outputs.every((name) => statSync(name).mtimeMs > newest)
}

function generate() {
  const fresh = `${out}.${String(process.pid)}`
  mkdirSync(fresh, { recursive: true })
  try {
    execFileSync(
      process.env.PROTOC ?? 'protoc',
      [
        `--proto_path=${protoRoot}`,
        `--plugin=protoc-gen-es=${join(webui, 'node_modules', '.bin', 'protoc-gen-es')}`,
        `--es_out=${fresh}`,
        '--es_opt=target=ts',
        ...protos,
      ],
      { stdio: 'inherit' },
    )
    rmSync(out, { recursive: true, force: true })
    renameSync(fresh, out)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
}

try {
  if (!upToDate()) generate()
} catch (error) {
  if (error.code !== 'ENOENT') throw error
  console.error('protoc is missing. Debian: apt-get install protobuf-compiler; macOS: brew install')
  console.error('protobuf; or name one in PROTOC.')
  process.exit(1)
}
