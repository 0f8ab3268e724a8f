// The text of an element as a person would write it down: a list becomes lines.

export function textOf(id) {
  const element = document.getElementById(id)
  const items = element.querySelectorAll('[data-item]')
  if (items.length === 0) return element.textContent.trim()
  return Array.from(items, item => item.textContent.trim()).join('\n')
}
