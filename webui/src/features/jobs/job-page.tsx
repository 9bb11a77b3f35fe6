import { ActionIcon, Button, Group, Stack, Text } from '@mantine/core'
import { useMemo } from 'react'
import { type Job, type JobEvent, useAction, useConnection, useLlmd, useWorld } from '../../api'
import { formatTime } from '../../lib/format'
import { cleanLine } from '../../lib/log-lines'
import { jobEnded, lookOf } from '../../lib/states'
import { Facts } from '../../ui/facts'
import { BackIcon } from '../../ui/icons'
import { JobProgress } from '../../ui/job-progress'
import { LogView } from '../../ui/log-view'
import { Page } from '../../ui/page'
import { ProblemAlert } from '../../ui/problem-alert'
import { StateBadge } from '../../ui/state-badge'
import { jobTitle } from './job-title'
import { useJobLog } from './use-job-log'

/** One job: how far it is and what happened, from its first event on. */
export function JobPage({ id }: { id: string }) {
  const { log, problem } = useJobLog(id)
  const job = useWorld().jobs.get(id) ?? log.job
  const lines = useMemo(() => log.events.map(eventLine), [log.events])
  return (
    <Page
      title={job === null ? 'Job' : jobTitle(job)}
      before={
        <ActionIcon
          component="a"
          href="#/jobs"
          variant="subtle"
          color="gray"
          aria-label="Back to the jobs"
        >
          <BackIcon />
        </ActionIcon>
      }
      actions={job !== null && <CancelButton job={job} />}
    >
      <Stack gap="md">
        {problem !== null && problem.kind === 'refused' && <ProblemAlert problem={problem} />}
        {job !== null && <JobFacts job={job} />}
        <LogView
          label="Events of this job"
          lines={lines}
          dropped={log.dropped}
          empty="Nothing has happened yet."
        />
      </Stack>
    </Page>
  )
}

function JobFacts({ job }: { job: Job }) {
  return (
    <Stack gap="sm" className="card">
      <Group>
        <StateBadge state={job.state} />
        <Text size="sm" className="quiet">
          {job.id}
        </Text>
      </Group>
      {!jobEnded(job.state) && <JobProgress job={job} />}
      {job.error !== undefined && <ProblemAlert problem={job.error} title="It failed" />}
      <Facts
        facts={[
          ['Begun', formatTime(job.createdAt)],
          [jobEnded(job.state) ? 'Ended' : 'Last change', formatTime(job.updatedAt)],
          ['Attempt', job.attempt > 1 && String(job.attempt)],
        ]}
      />
    </Stack>
  )
}

function CancelButton({ job }: { job: Job }) {
  const { api, actions } = useLlmd()
  const away = useConnection().status !== 'live'
  const key = `cancel ${job.id}`
  const { pending, problem } = useAction(key)
  if (jobEnded(job.state)) return null
  return (
    <Button
      variant="default"
      title={problem?.message}
      loading={pending}
      disabled={away || job.state === 'cancelling'}
      onClick={() => void actions.run(key, () => api.jobs.cancel({ id: job.id }))}
    >
      Cancel
    </Button>
  )
}

/** "12:04:31  downloading  model.safetensors" */
export function eventLine(event: JobEvent): string {
  const what =
    event.type === 'state'
      ? event.job === undefined
        ? ''
        : lookOf(event.job.state).word
      : event.type
  const said = event.type === 'state' ? [what, event.message] : [event.message]
  return `${formatTime(event.time)}  ${said.filter(Boolean).map(cleanLine).join(': ')}`
}
