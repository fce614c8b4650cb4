import kafkajs from 'kafkajs'

/** The partition of a key, as Java's producers and the Collector with `hasher: murmur2` find it. */
export function partitionOf(key: string, partitions: number): number {
  const choose = kafkajs.Partitioners.DefaultPartitioner()
  const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
    partitionId,
    leader: 0,
    isr: [],
    partitionErrorCode: 0,
    replicas: [],
  }))
  return choose({ topic: '', partitionMetadata, message: { key, value: null } })
}
