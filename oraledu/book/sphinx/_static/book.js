// What is wider than its place scrolls, also by the keyboard; what is folded is unfolded in print.
// A file on paper has no neighbours: links to other files of this disk would lead nowhere.
const scrollers = () => document.querySelectorAll(".formula, .table-wrapper, pre");
const reach = () => scrollers().forEach((each) => {
  if (each.scrollWidth > each.clientWidth) each.tabIndex = 0;
  else each.removeAttribute("tabindex");
});
addEventListener("load", reach);
addEventListener("resize", reach);
addEventListener("beforeprint", () => {
  document.querySelectorAll("details").forEach((each) => { each.open = true; });
  document.querySelectorAll("a[href]").forEach((each) => {
    if (each.protocol == "file:" && each.pathname != location.pathname) each.removeAttribute("href");
  });
});
