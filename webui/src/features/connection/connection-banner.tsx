import { Box, Button, Group, Loader, Text } from '@mantine/core'
import { type Problem, useConnection, useLlmd, useWorld } from '../../api'
import { Notice } from '../../ui/notice'

function sentences({ message, nextStep }: Problem): string {
  return [message.replace(/[.:]?$/, '.'), nextStep].join(' ').trim()
}

/** Says that llmd is away, for as long as it is. What was known stays visible below. */
export function ConnectionBanner() {
  const connection = useConnection()
  const { live } = useLlmd()
  const known = useWorld().info !== null
  if (connection.status !== 'away') return null
  return (
    <Box mb="md">
      <Notice role="alert" tone="warn" title="llmd is away">
        <Group justify="space-between" gap="sm">
          <div style={{ flex: '1 1 300px' }}>
            <Text size="sm">{sentences(connection.problem)}</Text>
            <Text size="sm">
              {known && 'What you see is how things last were. '}
              This page comes back by itself.
            </Text>
          </div>
          <Group gap="sm">
            <Loader size="xs" type="dots" color="var(--tone-warn)" aria-hidden />
            <Button size="compact-sm" variant="default" onClick={live.retry}>
              Try now
            </Button>
          </Group>
        </Group>
      </Notice>
    </Box>
  )
}
