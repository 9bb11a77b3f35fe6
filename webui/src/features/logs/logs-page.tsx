import { ActionIcon, Stack } from '@mantine/core'
import { useMemo } from 'react'
import { serverState, useWorld } from '../../api'
import { visibleLines } from '../../lib/log-lines'
import { BackIcon } from '../../ui/icons'
import { LogView } from '../../ui/log-view'
import { Page } from '../../ui/page'
import { ProblemAlert } from '../../ui/problem-alert'
import { StateBadge } from '../../ui/state-badge'
import { useServerLog } from './use-server-log'

/** What a model's server writes, as it writes it. */
export function LogsPage({ model: name }: { model: string }) {
  const world = useWorld()
  const { log, problem } = useServerLog(name)
  const lines = useMemo(() => visibleLines(log), [log])
  const model = world.models.get(name)
  return (
    <Page
      title={`Log of ${name}`}
      before={
        <ActionIcon
          component="a"
          href="#/models"
          variant="subtle"
          color="gray"
          aria-label="Back to the models"
        >
          <BackIcon />
        </ActionIcon>
      }
      actions={model !== undefined && <StateBadge state={serverState(world, model)} />}
    >
      <Stack gap="md">
        {problem !== null && problem.kind === 'refused' && <ProblemAlert problem={problem} />}
        <LogView
          label={`Server log of ${name}`}
          lines={lines}
          dropped={log.dropped}
          empty="The server has written nothing yet."
          height="72dvh"
        />
      </Stack>
    </Page>
  )
}
