import { Group, Progress, Text } from '@mantine/core'
import { type Job, jobRate, useWorld } from '../api'
import { formatBytes, formatDuration, formatRate, percent } from '../lib/format'

/** How far a running job is: step, bytes, rate and time left, as far as they are known. */
export function JobProgress({ job }: { job: Job }) {
  const rate = jobRate(useWorld(), job.id)
  const transfers = job.bytesTotal > 0n && job.bytesDone < job.bytesTotal
  const facts = [
    job.bytesTotal > 0n && `${formatBytes(job.bytesDone)} of ${formatBytes(job.bytesTotal)}`,
    transfers && rate !== null && formatRate(rate),
    job.etaSeconds !== undefined && `${formatDuration(job.etaSeconds)} left`,
    job.attempt > 1 && `attempt ${job.attempt}`,
  ].filter((fact) => typeof fact === 'string')
  return (
    <div>
      <Group justify="space-between" gap="xs" mb={5} wrap="nowrap">
        <Text size="sm" truncate>
          {job.step === '' ? 'Waiting for its turn' : job.step}
        </Text>
        <Text size="sm" className="quiet" style={{ fontVariantNumeric: 'tabular-nums' }}>
          {percent(job.progress)}
        </Text>
      </Group>
      <Progress
        value={job.progress * 100}
        aria-label={`Progress of ${job.kind} ${job.subject}`}
        size="md"
        transitionDuration={200}
      />
      <Text
        size="xs"
        mt={5}
        mih={18}
        className="quiet"
        style={{ fontVariantNumeric: 'tabular-nums' }}
      >
        {facts.join(' · ')}
      </Text>
    </div>
  )
}
