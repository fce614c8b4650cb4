/** Values by a name that several may share. */
export class ListMap<Value> {
  readonly #lists = new Map<string, Value[]>()

  /** In the order in which they were added. */
  get(name: string): readonly Value[] | undefined {
    return this.#lists.get(name)
  }

  /** @returns all of the name, also those that come later */
  add(name: string, value: Value): readonly Value[] {
    let list = this.#lists.get(name)
    if (list) list.push(value)
    else this.#lists.set(name, (list = [value]))
    return list
  }

  delete(name: string, value: Value): void {
    const list = this.#lists.get(name)
    const at = list?.indexOf(value) ?? -1
    if (!list || at < 0) return
    list.splice(at, 1)
    if (list.length === 0) this.#lists.delete(name)
  }
}
