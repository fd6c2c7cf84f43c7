/* Finds the explorers of a page and loads each when it comes into view. */

const address = (name) => new URL(`${name}.js`, import.meta.url).href;

const view = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      view.unobserve(target);
      import(address(target.dataset.explorer)).then((module) => module.default(target));
    }
  },
  { rootMargin: "300px" },
);

for (const root of document.querySelectorAll("[data-explorer]")) view.observe(root);

// The other language shows the same view. The page's own script has set the link by now.
document.querySelector("#x0-lang")?.addEventListener("click", ({ currentTarget }) => {
  const there = new URL(currentTarget.href);
  there.search = location.search;
  currentTarget.href = there;
});
