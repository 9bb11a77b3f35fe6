import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { Code } from '@connectrpc/connect'
import type { ModelProfileSchema } from '../src/api/gen/llmd/v1/profile_pb'
import { InfoResponseSchema } from '../src/api/gen/llmd/v1/system_pb'
import { type FakeLlmd, refusal } from '../src/testing/fake-llmd'

const now = new Date('2026-03-01T12:00:00Z').toISOString()

const smol = {
  repoId: 'HuggingFaceTB/SmolLM2-135M-Instruct-GGUF',
  revision: '9e6855bc4be717fca1ef21360a1db4b29d5c559a',
  kind: 'llm',
  architecture: 'LlamaForCausalLM',
  parameters: 134_515_008n,
  quantization: 'gguf',
  dtype: 'Q4_K_M',
  contextLength: 8192n,
  capabilities: ['chat', 'completion'],
  license: 'apache-2.0',
  supported: true,
  backends: [
    { name: 'llama.cpp', usable: true },
    { name: 'vllm', usable: false, reason: 'needs a CUDA GPU' },
  ],
  memory: { requiredBytes: 412_000_000n, fits: 'yes' },
  download: { bytes: 98_305_024n, files: 4n, skipped: [{ path: 'x.bin', why: 'another variant' }] },
  variants: [
    { name: 'Q4_K_M', bytes: 98_305_024n },
    { name: 'Q8_0', bytes: 144_811_232n },
  ],
  evidence: [
    { detector: 'gguf', matched: true, because: 'one *.gguf file, architecture llama' },
    { detector: 'diffusers', matched: false, because: 'no model_index.json' },
  ],
} satisfies MessageInitShape<typeof ModelProfileSchema>

const answer =
  'The capital of France is Paris.\n\nIn Python:\n' +
  '```python\nprint("Paris")\n```\nAnd <b>this</b> is text.'

/** Models in every state, jobs of every kind, a hub that knows one repository. */
export function fillWorld(fake: FakeLlmd): void {
  fake.info = create(InfoResponseSchema, {
    version: '0.1.0',
    pid: 4711n,
    home: '/home/ada/LLM',
    http: 'http://127.0.0.1:11500',
    grpc: 'unix:///home/ada/LLM/run/llmd.sock',
    startedAt: now,
    uv: 'uv 0.13.9',
    machine: {
      os: 'Debian 12',
      arch: 'x86_64',
      cpus: 8,
      memoryBytes: 33_500_000_000n,
      diskFreeBytes: 212_000_000_000n,
      gpus: [{ name: 'NVIDIA RTX 4070', vendor: 'nvidia', memoryBytes: 12_878_610_432n }],
    },
    memory: { capacityBytes: 26_800_000_000n, reservedBytes: 3_560_000_000n },
    ruleErrors: ['/home/ada/LLM/rules.d/mine.yaml:3:7: unknown key "detctor"'],
  })
  fillModels(fake)
  fillJobs(fake)
  fake.onCheck = ({ source }) => {
    if (source?.repoId === smol.repoId) return { profile: smol, exitCode: 0 }
    if (source?.repoId !== 'big/model') {
      throw refusal(
        Code.NotFound,
        'repository_not_found',
        `repository '${source?.repoId ?? ''}' does not exist on the Hub`,
        'Check the spelling; if it is private, log in with `hf auth login`.',
      )
    }
    return {
      profile: {
        ...smol,
        repoId: 'big/model',
        reasons: ['needs 812 GB of memory, this machine has 33.5 GB'],
        memory: { requiredBytes: 812_000_000_000n, fits: 'no' },
      },
      exitCode: 3,
    }
  }
  fake.onChat = (_, chat) => {
    const pieces = answer.match(/\S+\s*/g) ?? []
    pieces.forEach((text, index) => setTimeout(() => chat.push({ text }), 60 * (index + 5)))
    setTimeout(
      () => {
        chat.push({ finishReason: 'stop', usage: { completionTokens: BigInt(pieces.length) } })
        chat.close()
      },
      60 * (pieces.length + 6),
    )
  }
}

function fillModels(fake: FakeLlmd): void {
  const common = { state: 'installed', installedAt: now, engine: 'transformers' }
  fake.putModel({
    ...common,
    name: 'HuggingFaceTB/SmolLM2-135M-Instruct-GGUF',
    engine: 'llama.cpp',
    path: '/home/ada/LLM/models/HuggingFaceTB_SmolLM2-135M-Instruct-GGUF',
    bytesOnDisk: 412_334_221n,
    profile: smol,
    aliases: ['smol'],
  })
  fake.putServer({
    model: 'HuggingFaceTB/SmolLM2-135M-Instruct-GGUF',
    state: 'ready',
    pid: 5120n,
    memoryBytes: 287_000_000n,
    reservedBytes: 412_000_000n,
    endpoint: 'unix:/home/ada/LLM/run/servers/f00dfeedbeef/api.sock',
    startedAt: now,
    lastUsedAt: now,
    inFlight: 1,
  })
  fake.putModel({
    ...common,
    name: 'sentence-transformers/all-MiniLM-L6-v2',
    engine: 'sentence-transformers',
    bytesOnDisk: 92_000_000n,
    profile: { kind: 'embedding', parameters: 22_713_216n, dtype: 'float32', quantization: 'none' },
  })
  fake.putModel({
    ...common,
    name: 'Qwen/Qwen3-0.6B',
    bytesOnDisk: 1_520_000_000n,
    profile: { ...smol, parameters: 596_049_920n, quantization: 'none', dtype: 'bfloat16' },
  })
  fake.putServer({ model: 'Qwen/Qwen3-0.6B', state: 'starting', reservedBytes: 3_148_000_000n })
  fake.putModel({ ...common, name: 'acme/crasher', profile: { ...smol, parameters: 1_000_000n } })
  fake.putServer({
    model: 'acme/crasher',
    state: 'crash_loop',
    reason: 'ended with exit code 1, 5 times: ValueError: rope_scaling is missing "factor"',
  })
  fake.putModel({ name: 'mistralai/Mistral-7B-Instruct-v0.3', state: 'installing' })
}

function fillJobs(fake: FakeLlmd): void {
  const install = {
    id: 'j-0192f3',
    kind: 'install',
    subject: 'mistralai/Mistral-7B-Instruct-v0.3',
    state: 'running',
    step: 'downloading',
    attempt: 1,
    createdAt: now,
    updatedAt: now,
    bytesTotal: 14_496_047_616n,
  }
  let done = 4_300_000_000
  const advance = () => {
    done = (done + 21_000_000) % Number(install.bytesTotal)
    fake.putJob({
      ...install,
      bytesDone: BigInt(done),
      progress: done / Number(install.bytesTotal),
      etaSeconds: (Number(install.bytesTotal) - done) / 84_000_000,
    })
  }
  advance()
  setInterval(advance, 250)
  fake.jobEvents.set('j-0192f3', [
    { sequence: 1n, time: now, type: 'state', message: '', job: { ...install, state: 'queued' } },
    { sequence: 2n, time: now, type: 'state', message: 'attempt 1', job: install },
    { sequence: 3n, time: now, type: 'step', message: 'checking', job: install },
    { sequence: 4n, time: now, type: 'log', message: 'detector transformers, handler general' },
    { sequence: 5n, time: now, type: 'step', message: 'downloading', job: install },
  ])
  fake.putJob({
    ...install,
    id: 'j-0192aa',
    subject: 'acme/gated',
    state: 'failed',
    createdAt: '2026-03-01T09:00:00Z',
    error: {
      code: 'gated',
      message: "repository 'acme/gated' is gated and this machine has no token for it",
      nextStep: 'Accept its terms on the Hub, then run `hf auth login`.',
    },
  })
  fake.putJob({
    ...install,
    id: 'j-019100',
    subject: 'Qwen/Qwen3-0.6B',
    state: 'succeeded',
    createdAt: '2026-02-27T09:00:00Z',
    updatedAt: '2026-02-27T09:01:10Z',
  })
}
