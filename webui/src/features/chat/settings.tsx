import { ActionIcon, NumberInput, Popover, Stack, Textarea, Tooltip } from '@mantine/core'
import { SlidersIcon } from '../../ui/icons'
import type { Settings } from './chats'

interface ChatSettingsProps {
  settings: Settings
  onChange: (part: Partial<Settings>) => void
}

/** System prompt and sampling. Empty fields leave the model server's own defaults. */
export function ChatSettings({ settings, onChange }: ChatSettingsProps) {
  return (
    <Popover width={320} position="bottom-end" trapFocus shadow="md" returnFocus>
      <Popover.Target>
        <Tooltip label="Settings">
          <ActionIcon variant="default" size="lg" aria-label="Chat settings">
            <SlidersIcon />
          </ActionIcon>
        </Tooltip>
      </Popover.Target>
      <Popover.Dropdown aria-label="Chat settings">
        <Stack gap="sm">
          <Textarea
            label="System prompt"
            placeholder="None"
            autosize
            minRows={2}
            maxRows={8}
            value={settings.system}
            onChange={(event) => onChange({ system: event.currentTarget.value })}
          />
          <NumberInput
            label="Temperature"
            description="0 always takes the likeliest word"
            placeholder="The model's own"
            min={0}
            max={2}
            step={0.1}
            decimalScale={2}
            value={settings.temperature ?? ''}
            onChange={(value) => onChange({ temperature: numberOrNull(value) })}
          />
          <NumberInput
            label="Longest answer, in tokens"
            placeholder="The model's own"
            min={1}
            max={131072}
            step={64}
            allowDecimal={false}
            value={settings.maxTokens ?? ''}
            onChange={(value) => onChange({ maxTokens: numberOrNull(value) })}
          />
        </Stack>
      </Popover.Dropdown>
    </Popover>
  )
}

export function numberOrNull(value: number | string): number | null {
  const number = typeof value === 'number' ? value : Number.parseFloat(value)
  return Number.isFinite(number) ? number : null
}
