import { Text } from '@mantine/core'
import { type Job, useWorld } from '../../api'
import { formatTime } from '../../lib/format'
import { routeHref } from '../../lib/route'
import { jobEnded } from '../../lib/states'
import { Empty } from '../../ui/empty'
import { JobProgress } from '../../ui/job-progress'
import { Page } from '../../ui/page'
import { StateBadge } from '../../ui/state-badge'
import { jobTitle, sortedJobs } from './job-title'

const shown = 200

export function JobsPage() {
  const world = useWorld()
  const jobs = sortedJobs(world.jobs.values())
  return (
    <Page title="Jobs">
      {jobs.length === 0 ? (
        world.info !== null && (
          <Empty title="No jobs yet" href="#/models" link="Install a model">
            Installing and removing models are jobs; they survive a restart of llmd.
          </Empty>
        )
      ) : (
        <div className="card" style={{ padding: 0, overflow: 'hidden' }}>
          {jobs.slice(0, shown).map((job) => (
            <JobRow key={job.id} job={job} />
          ))}
        </div>
      )}
      {jobs.length > shown && (
        <Text size="sm" className="quiet" mt="sm">
          The newest {shown} of {jobs.length}. llmctl jobs lists all.
        </Text>
      )}
    </Page>
  )
}

function JobRow({ job }: { job: Job }) {
  return (
    <a className="list-row" href={routeHref({ page: 'job', id: job.id })}>
      <div style={{ flex: 1, minWidth: 0 }}>
        <Text fw={500} truncate>
          {jobTitle(job)}
        </Text>
        {jobEnded(job.state) ? (
          <Text size="xs" className="quiet" lineClamp={2}>
            {[formatTime(job.updatedAt), job.error?.message].filter(Boolean).join(' · ')}
          </Text>
        ) : (
          <JobProgress job={job} />
        )}
      </div>
      <StateBadge state={job.state} />
    </a>
  )
}
