export { createControlClient } from './control-client.ts'
export type {
  ControlClient,
  ControlSettings,
  PostOptions,
  StreamListener,
} from './control-client.ts'
export type { ControlStreamState } from './control-stream.ts'
