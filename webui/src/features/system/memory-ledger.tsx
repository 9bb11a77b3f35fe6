import { Group, Text } from '@mantine/core'
import { useWorld } from '../../api'
import { formatBytes } from '../../lib/format'
import { Facts } from '../../ui/facts'
import { ledger } from './ledger'

/** What is reserved, by whom, out of how much. */
export function MemoryLedger() {
  const book = ledger(useWorld())
  if (book === null) return null
  return (
    <div>
      <div className="memory-bar" aria-hidden="true">
        {book.entries.map((entry) => (
          <span key={entry.name} style={{ width: `${entry.share * 100}%` }} />
        ))}
      </div>
      <Group justify="space-between" mt={6} mb={book.entries.length > 0 ? 'sm' : 0}>
        <Text size="sm">{formatBytes(book.reserved)} reserved</Text>
        <Text size="sm" className="quiet">
          {formatBytes(book.free)} free of {formatBytes(book.capacity)}
        </Text>
      </Group>
      <Facts facts={book.entries.map((entry) => [entry.name, formatBytes(entry.bytes)])} />
    </div>
  )
}
