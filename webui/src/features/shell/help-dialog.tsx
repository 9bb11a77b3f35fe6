import { Group, Kbd, Modal, Stack, Text } from '@mantine/core'
import { shortcuts } from '../../lib/shortcuts'

/** The keyboard shortcuts, from the table that makes them work. */
export function HelpDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title="Keyboard shortcuts"
      centered
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Stack gap="xs">
        {shortcuts.map(({ keys, command, label }) => (
          <Group key={command} justify="space-between" wrap="nowrap">
            <Text size="sm">{label}</Text>
            <Group gap={4} wrap="nowrap">
              {keys.map((key) => (
                <Kbd key={key}>{key}</Kbd>
              ))}
            </Group>
          </Group>
        ))}
        <Group justify="space-between" wrap="nowrap">
          <Text size="sm">In the chat: send, new line, stop</Text>
          <Group gap={4} wrap="nowrap">
            <Kbd>Enter</Kbd>
            <Kbd>Shift+Enter</Kbd>
            <Kbd>Esc</Kbd>
          </Group>
        </Group>
      </Stack>
    </Modal>
  )
}
