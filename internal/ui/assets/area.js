// Where the pages of an area do not fit beside each other, the current one is
// brought into view.

document.querySelector('.area [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' })
