import { Alert, Button, Group, Loader, Text } from '@mantine/core'
import { useConnection, useLlmd, useWorld } from '../../api'
import { WarningIcon } from '../../ui/icons'

/** Says that llmd is away, for as long as it is. What was known stays visible below. */
export function ConnectionBanner() {
  const connection = useConnection()
  const { live } = useLlmd()
  const known = useWorld().info !== null
  if (connection.status !== 'away') return null
  return (
    <Alert
      role="alert"
      color="orange"
      variant="light"
      icon={<WarningIcon />}
      title="llmd is away"
      mb="md"
    >
      <Group justify="space-between" gap="sm">
        <div style={{ flex: '1 1 300px' }}>
          <Text size="sm" c="var(--mantine-color-text)">
            {connection.problem.message} {connection.problem.nextStep}
          </Text>
          <Text size="sm" c="var(--mantine-color-text)" mt={2}>
            {known && 'What you see is how things last were. '}
            This page comes back by itself.
          </Text>
        </div>
        <Group gap="sm">
          <Loader size="xs" type="dots" color="orange" aria-hidden />
          <Button size="compact-sm" variant="default" onClick={live.retry}>
            Try now
          </Button>
        </Group>
      </Group>
    </Alert>
  )
}
