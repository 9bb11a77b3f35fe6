import { List, Stack, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { type InfoResponse, useWorld } from '../../api'
import { formatBytes, formatTime } from '../../lib/format'
import { Facts } from '../../ui/facts'
import { Notice } from '../../ui/notice'
import { Page } from '../../ui/page'
import { MemoryLedger } from './memory-ledger'

/** The machine, llmd itself, and what they have to spare. */
export function SystemPage() {
  const { info } = useWorld()
  return <Page title="System">{info !== null && <System info={info} />}</Page>
}

function System({ info }: { info: InfoResponse }) {
  const machine = info.machine
  return (
    <Stack gap="md">
      {info.ruleErrors.length > 0 && (
        <Notice role="status" tone="warn" title="Rules left out">
          <List size="sm" className="wrap">
            {info.ruleErrors.map((error) => (
              <List.Item key={error}>{error}</List.Item>
            ))}
          </List>
        </Notice>
      )}
      <Section title="Memory for models">
        <MemoryLedger />
      </Section>
      {machine !== undefined && (
        <Section title="Machine">
          <Facts
            facts={[
              ['System', `${machine.os}, ${machine.arch}`],
              ['Processors', String(machine.cpus)],
              ['Memory', formatBytes(machine.memoryBytes)],
              [
                'Graphics',
                machine.gpus.length === 0
                  ? 'none'
                  : machine.gpus
                      .map((gpu) => `${gpu.name} (${formatBytes(gpu.memoryBytes)})`)
                      .join(', '),
              ],
              ['Free disk', formatBytes(machine.diskFreeBytes)],
            ]}
          />
        </Section>
      )}
      <Section title="llmd">
        <Facts
          facts={[
            ['Version', info.version],
            ['Home', info.home],
            ['HTTP', info.http],
            ['gRPC', [info.grpc, info.grpcTcp].filter(Boolean).join(', ')],
            ['Process', String(info.pid)],
            ['Started', formatTime(info.startedAt)],
            ['uv', info.uv],
          ]}
        />
      </Section>
    </Stack>
  )
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="card">
      <Text component="h2" fw={600} mb="sm">
        {title}
      </Text>
      {children}
    </section>
  )
}
