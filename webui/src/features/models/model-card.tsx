import { ActionIcon, Anchor, Button, Collapse, Group, Menu, Stack, Text } from '@mantine/core'
import { useId, useState } from 'react'
import { useAction, useConnection, useLlmd } from '../../api'
import { formatBytes, formatCount } from '../../lib/format'
import { routeHref } from '../../lib/route'
import { serverUp } from '../../lib/states'
import { Confirm } from '../../ui/confirm'
import { DownIcon, LogsIcon, MoreIcon, PlayIcon, StopIcon, TrashIcon } from '../../ui/icons'
import { JobProgress } from '../../ui/job-progress'
import { ProblemAlert } from '../../ui/problem-alert'
import { StateBadge } from '../../ui/state-badge'
import { talks } from '../chat/talkers'
import { ModelDetails } from './model-details'
import type { ModelRow } from './model-list'

/** One model: what it is, how it is, what one can do with it. */
export function ModelCard({ row }: { row: ModelRow }) {
  const [open, setOpen] = useState(false)
  const titleId = useId()
  const { model, server, job } = row
  const power = useAction(`power ${row.name}`)
  const removal = useAction(`remove ${row.name}`)
  const { actions } = useLlmd()
  const [org, short] = splitName(row.name)
  return (
    <Stack component="article" className="card" gap="sm" aria-labelledby={titleId}>
      <Group gap="sm" align="flex-start" justify="space-between">
        <div style={{ flex: '1 1 280px', minWidth: 0 }}>
          <Text component="h2" id={titleId} fw={600} className="wrap" lh={1.35}>
            {org !== '' && (
              <Text span inherit fw={400} className="quiet">
                {org}/
              </Text>
            )}
            {short}
          </Text>
          <Group gap="2px 14px" mt={4}>
            <StateBadge state={row.state} />
            <Text size="sm" className="quiet">
              {summary(row)}
            </Text>
          </Group>
        </div>
        {model?.state === 'installed' && (
          <CardActions row={row} open={open} onDetails={() => setOpen(!open)} />
        )}
      </Group>
      {job !== null && (
        <div>
          <JobProgress job={job} />
          <Anchor size="xs" href={routeHref({ page: 'job', id: job.id })}>
            Open the job
          </Anchor>
        </div>
      )}
      {server !== null && server.reason !== '' && !serverUp(server.state) && (
        <ProblemAlert
          title="The model's server ended"
          problem={{
            message: server.reason,
            nextStep: 'Its log says more: see the menu of this model.',
          }}
        />
      )}
      {[
        [`power ${row.name}`, power.problem] as const,
        [`remove ${row.name}`, removal.problem] as const,
      ].map(
        ([key, problem]) =>
          problem !== null && (
            <ProblemAlert key={key} problem={problem} onClose={() => actions.clear(key)} />
          ),
      )}
      {model !== null && (
        <Collapse expanded={open}>
          <ModelDetails model={model} server={server} />
        </Collapse>
      )}
    </Stack>
  )
}

interface CardActionsProps {
  row: ModelRow
  open: boolean
  onDetails: () => void
}

function CardActions({ row, open, onDetails }: CardActionsProps) {
  const { api, actions } = useLlmd()
  const away = useConnection().status !== 'live'
  const { pending } = useAction(`power ${row.name}`)
  const { name, model, state } = row
  const busy = row.job !== null || away
  const up = serverUp(state)
  const start = () => void actions.run(`power ${name}`, () => api.servers.start({ model: name }))
  const stop = () => void actions.run(`power ${name}`, () => api.servers.stop({ model: name }))
  return (
    <Group gap="xs" wrap="nowrap">
      {model !== null && talks(model) && (
        <Button component="a" href={routeHref({ page: 'chat', model: name })} variant="default">
          Chat
        </Button>
      )}
      {up ? (
        <Button
          variant="default"
          leftSection={<StopIcon size={15} />}
          disabled={busy || state === 'stopping'}
          onClick={stop}
        >
          Stop
        </Button>
      ) : (
        <Button
          leftSection={<PlayIcon size={15} />}
          loading={pending}
          disabled={busy}
          onClick={start}
        >
          Start
        </Button>
      )}
      <CardMenu name={name} disabled={busy} up={up} />
      <ActionIcon
        variant="subtle"
        color="gray"
        size="lg"
        aria-label={`Details of ${name}`}
        aria-expanded={open}
        onClick={onDetails}
      >
        <span style={{ display: 'flex', transform: open ? 'rotate(180deg)' : 'none' }}>
          <DownIcon />
        </span>
      </ActionIcon>
    </Group>
  )
}

function CardMenu({ name, disabled, up }: { name: string; disabled: boolean; up: boolean }) {
  const { api, actions } = useLlmd()
  const [asking, setAsking] = useState(false)
  const remove = () =>
    void actions.run(`remove ${name}`, () => api.models.remove({ model: name, force: up }))
  return (
    <>
      <Menu position="bottom-end" shadow="md" width={200}>
        <Menu.Target>
          <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`More for ${name}`}>
            <MoreIcon />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            component="a"
            href={routeHref({ page: 'logs', model: name })}
            leftSection={<LogsIcon size={16} />}
          >
            Server log
          </Menu.Item>
          <Menu.Item
            color="red"
            leftSection={<TrashIcon size={16} />}
            disabled={disabled}
            onClick={() => setAsking(true)}
          >
            Remove …
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Confirm
        opened={asking}
        title={`Remove ${name}?`}
        confirmLabel="Remove"
        onConfirm={remove}
        onClose={() => setAsking(false)}
      >
        Its whole folder is deleted: the downloaded files, its environment and everything else in
        it. {up && 'It is running, and is stopped first. '}This cannot be undone.
      </Confirm>
    </>
  )
}

function splitName(name: string): [org: string, short: string] {
  const slash = name.indexOf('/')
  return [name.slice(0, Math.max(0, slash)), name.slice(slash + 1)]
}

/** "llm · 135 M parameters · gguf · llama.cpp · 93.8 MiB" */
function summary({ model }: ModelRow): string {
  if (model === null) return ''
  const { profile } = model
  const parameters = profile?.parameters
  return [
    profile?.kind,
    parameters === undefined ? '' : `${formatCount(parameters)} parameters`,
    profile?.quantization === 'none' ? profile.dtype : profile?.quantization,
    model.engine,
    model.bytesOnDisk > 0n ? formatBytes(model.bytesOnDisk) : '',
  ]
    .filter(Boolean)
    .join(' · ')
}
