import { Box, Button, Group, Text } from '@mantine/core'
import { useState } from 'react'
import { useWorld } from '../../api'
import { Notice } from '../../ui/notice'

/** llmd came back as another version: this page is the old one's. */
export function UpdateNotice() {
  const version = useWorld().info?.version ?? ''
  const [first, setFirst] = useState('')
  if (first === '' && version !== '') setFirst(version)
  if (first === '' || version === '' || version === first) return null
  return (
    <Box mb="md">
      <Notice role="status" tone="busy">
        <Group justify="space-between">
          <Text size="sm">
            llmd is now version {version}; this page belongs to {first}.
          </Text>
          <Button size="compact-sm" onClick={() => window.location.reload()}>
            Load the new page
          </Button>
        </Group>
      </Notice>
    </Box>
  )
}
