import { expect, it } from 'vitest'
import { Limiter } from './limiter'

it('runs no more than its limit, in order, and goes on after a failure', async () => {
  const limiter = new Limiter(2)
  const started: number[] = []
  const finish: ((fail: boolean) => void)[] = []
  const call = (id: number) =>
    limiter.run(
      () =>
        new Promise<number>((resolve, reject) => {
          started.push(id)
          finish[id] = (fail) => {
            if (fail) reject(new Error(`call ${id}`))
            else resolve(id)
          }
        }),
    )
  const calls = [call(0), call(1), call(2), call(3)]
  expect(started).toEqual([0, 1])
  finish[0]?.(true)
  await expect(calls[0]).rejects.toThrow('call 0')
  expect(started).toEqual([0, 1, 2])
  finish[2]?.(false)
  await expect(calls[2]).resolves.toBe(2)
  expect(started).toEqual([0, 1, 2, 3])
  finish[1]?.(false)
  finish[3]?.(false)
  await Promise.all(calls.slice(1))
})
