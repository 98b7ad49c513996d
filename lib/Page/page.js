// Pointing at a wire, a row or a line of an array lights all of that array.
'use strict';
for (const element of document.querySelectorAll('[data-array]')) {
  const light = on => {
    for (const other of document.querySelectorAll('[data-array]'))
      if (other.dataset.array === element.dataset.array) other.classList.toggle('lit', on);
  };
  element.addEventListener('mouseenter', () => light(true));
  element.addEventListener('mouseleave', () => light(false));
}
