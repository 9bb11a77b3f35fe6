import { Stack } from '@mantine/core'
import { useWorld } from '../../api'
import { Empty } from '../../ui/empty'
import { Page } from '../../ui/page'
import { InstallBox } from '../install/install-box'
import { ModelCard } from './model-card'
import { modelRows } from './model-list'

export function ModelsPage() {
  const world = useWorld()
  const rows = modelRows(world)
  return (
    <Page title="Models">
      <Stack gap="md">
        <InstallBox />
        {rows.map((row) => (
          <ModelCard key={row.name} row={row} />
        ))}
        {rows.length === 0 && world.info !== null && (
          <Empty title="No model is installed yet">
            Try a small one: HuggingFaceTB/SmolLM2-135M-Instruct
          </Empty>
        )}
      </Stack>
    </Page>
  )
}
